"""Lines over the course of a training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from mammography.reports.figures import canvas
from mammography.reports.figures.thinning import running_mean, thin

# A curve that spans more than this factor is drawn on a logarithmic axis.
LOG_FROM_RATIO = 100.0
MAX_MARKED = 60
# Longer curves are drawn pale, with the running mean of this share of their values on top.
MEAN_FROM = 300
MEAN_SHARE = 0.02


def mean_window(count: int) -> int:
    """Number of values in a running mean over a curve of ``count``; 0 for none."""
    return round(count * MEAN_SHARE) if count > MEAN_FROM else 0


def draw_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    x_title: str,
    y_title: str,
    *,
    resumed_at: Sequence[float] = (),
    unit_range: bool = False,
) -> Figure:
    """Draw one line per curve, told apart by colour and dash.

    Args:
        curves: Name to positions and values, in order; values that are not finite are gaps.
        x_title: Title of the x axis.
        y_title: Title of the y axis; says so itself when it becomes logarithmic.
        resumed_at: Positions at which the training went on after a stop.
        unit_range: Whether the values lie between 0 and 1 by definition.
    """
    figure, (axes,) = canvas.new_figure()
    for index, (name, (x, y)) in enumerate(curves.items()):
        _draw_curve(axes, np.asarray(x, dtype=float), np.asarray(y, dtype=float), name, index)
    for place in resumed_at:
        axes.axvline(place, color=canvas.GREY, linewidth=0.9, linestyle=":")
    is_log = _scale(axes, [np.asarray(y, dtype=float) for _, y in curves.values()], unit_range)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    canvas.name_axes(axes, x_title, y_title + (" (logarithmic)" if is_log else ""))
    if len(curves) > 1:
        canvas.add_legend(axes)
    return figure


def _draw_curve(axes: Axes, x: NDArray[Any], y: NDArray[Any], name: str, index: int) -> None:
    color = canvas.SERIES[index % len(canvas.SERIES)]
    dash = canvas.DASHES[index // len(canvas.SERIES) % len(canvas.DASHES)]
    label = canvas.shorten(name, 24) + ("" if np.isfinite(y).any() else " (not defined)")
    window = mean_window(len(y))
    if window:
        axes.plot(*thin(x, y), color=color, linewidth=0.7, alpha=0.3)
        x, y = running_mean(x, y, window)
    axes.plot(
        *thin(x, y),
        color=color,
        linestyle=dash,
        linewidth=1.4,
        marker="o" if len(x) <= MAX_MARKED else None,
        markersize=3,
        label=label,
    )


def _scale(axes: Axes, values: list[NDArray[Any]], unit_range: bool) -> bool:
    """Choose the scale of the y axis; returns whether it is logarithmic."""
    finite = np.concatenate([v[np.isfinite(v)] for v in values] or [np.empty(0)])
    if unit_range:
        axes.set_ylim(-0.02, 1.02)
        return False
    if not finite.size or finite.min() <= 0 or finite.max() < LOG_FROM_RATIO * finite.min():
        return False
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(numticks=8))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    return True
