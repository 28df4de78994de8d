"""Densities of the channels of a layer, one above the other, several models side by side."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from mammography.functional.density import estimate_densities, shared_grid
from mammography.reports.figures import canvas

MOST_CHANNELS = 32
# How many rows the highest ridge of a channel reaches up.
OVERLAP = 2.4
_PANEL_IN, _ROW_IN, _FRAME_IN = 2.7, 0.17, 1.5
_TICKS, _TICK_PT = 40, 7.0
# Share of the colour inside a ridge, and the height below which a ridge is not drawn.
_PALE, _SEEN = 0.5, 0.02

Floats = NDArray[np.float64]


def draw_ridgelines(
    values: Mapping[str, ArrayLike],
    mean_variances: Mapping[str, float],
    *,
    title: str,
    x_title: str = "activation",
    most_channels: int = MOST_CHANNELS,
) -> Figure:
    """Draw a kernel density per channel, the first at the bottom, and a panel per model.

    All panels share their axes. Heights are relative to the highest peak of the channel in
    any panel: the same channel can be compared between models, and a narrow one does not
    flatten the others. Channels that are constant, or too narrow to be drawn, are spikes. The
    x axis reaches over the central 99.8 % of the values of every model.

    Shapes:
        each of the values: ``(C, K)``, the same C.

    Args:
        values: Name of the model to finite values, K >= 2.
        mean_variances: Name of the model to the mean variance of all its channels.
        title: What layer it is.
        x_title: What the values are.
        most_channels: Of more channels, so many are drawn, evenly spread; the title says so.

    References:
        Akyüz et al. 2025, arXiv:2508.15452, figures A.13.
    """
    arrays = {name: np.asarray(each, dtype=np.float64) for name, each in values.items()}
    channels = len(next(iter(arrays.values())))
    chosen = spread_channels(channels, most_channels)
    drawn = {name: each[chosen] for name, each in arrays.items()}
    grid = shared_grid(list(drawn.values()))
    found = {
        name: estimate_densities(each, grid, narrowest=_gaps_around(grid, each.mean(axis=1)))
        for name, each in drawn.items()
    }
    highest = np.max([densities.max(axis=1) for densities, _ in found.values()], axis=0)
    scale = OVERLAP / np.where(highest > 0, highest, 1.0)

    figure, panels = _new_figure(len(arrays), len(chosen))
    for index, (axes, (name, (densities, spikes))) in enumerate(
        zip(panels, found.items(), strict=True)
    ):
        color = canvas.SERIES[index % len(canvas.SERIES)]
        _draw_ridges(axes, grid, densities * scale[:, None], color)
        _draw_spikes(axes, drawn[name].mean(axis=1), spikes)
        _finish(axes, name, mean_variances[name], color, int(spikes.sum()))
    _name_channels(panels[0], chosen)
    many = "" if len(chosen) == channels else f", {len(chosen)} of {channels} channels"
    figure.suptitle(f"{title}{many}", fontsize=canvas.FONT_PT)
    figure.supxlabel(x_title, fontsize=canvas.FONT_PT)
    return figure


def spread_channels(count: int, most: int) -> NDArray[np.int64]:
    """Return at most ``most`` of ``count`` channels, evenly spread, first and last among them.

    Example:
        >>> spread_channels(3, 8), spread_channels(128, 3)
        (array([0, 1, 2]), array([  0,  64, 127]))
    """
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(np.int64)


def _gaps_around(grid: Floats, places: Floats) -> Floats:
    """Return the distance of the two points of the grid around each place."""
    after = np.searchsorted(grid, places).clip(1, len(grid) - 1)
    return np.asarray(grid[after] - grid[after - 1])


def _new_figure(panels: int, rows: int) -> tuple[Figure, list[Axes]]:
    size_in = 0.6 + _PANEL_IN * panels, _FRAME_IN + _ROW_IN * (max(rows, 8) + OVERLAP)
    figure = Figure(figsize=size_in, layout="constrained")
    row = figure.subplots(1, panels, sharex=True, sharey=True, squeeze=False)[0].tolist()
    for axes in row:
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(labelsize=canvas.SMALL_PT, left=False)
        axes.grid(axis="x", color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        # Room for the legend above the highest ridge.
        axes.set_ylim(-0.6, rows - 1 + OVERLAP + 2)
    return figure, row


def _draw_ridges(axes: Axes, grid: Floats, heights: Floats, color: str) -> None:
    """Draw from the top to the bottom: a lower ridge lies in front and hides what is behind."""
    axes.set_xlim(grid[0], grid[-1])
    pale = tuple(1 - _PALE * (1 - part) for part in to_rgb(color))
    for row, height in reversed(list(enumerate(heights))):
        axes.plot(grid[[0, -1]], [row, row], color="#cccccc", linewidth=0.5, zorder=3)
        seen = height > _SEEN
        if not seen.any():
            continue
        shape = {"where": seen, "facecolor": pale, "edgecolor": "none", "zorder": 3}
        axes.fill_between(grid, row, row + height, **shape)
        axes.plot(grid, np.where(seen, row + height, np.nan), color=color, linewidth=0.9, zorder=3)


def _draw_spikes(axes: Axes, places: Floats, spikes: NDArray[np.bool_]) -> None:
    rows = np.flatnonzero(spikes)
    ends = rows + 0.8 * OVERLAP
    axes.vlines(places[rows], rows, ends, color=canvas.BLACK, linewidth=1.4, zorder=4)


def _finish(axes: Axes, name: str, mean_variance: float, color: str, spikes: int) -> None:
    axes.set_title(canvas.shorten(name, 30), fontsize=canvas.FONT_PT, color=color)
    handles: list[Patch | Line2D] = [Patch(color=color, label=f"Avg. var: {mean_variance:.4g}")]
    if spikes:
        text = f"(nearly) constant: {spikes}"
        handles.append(Line2D([], [], color=canvas.BLACK, linewidth=1.4, label=text))
    axes.legend(
        handles=handles,
        loc="upper right",
        fontsize=canvas.SMALL_PT,
        frameon=False,
        handlelength=1.2,
        borderpad=0.1,
    )


def _name_channels(axes: Axes, chosen: NDArray[np.int64]) -> None:
    step = -(-len(chosen) // _TICKS)
    rows = range(0, len(chosen), step)
    axes.set_yticks(rows, [str(chosen[row] + 1) for row in rows], fontsize=_TICK_PT)
    axes.set_ylabel("channel", fontsize=canvas.FONT_PT)
