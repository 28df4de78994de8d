"""Numbers of every layer of a network, from its input to its output."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import ArrayLike

from mammography.reports.figures import canvas

_PANEL_IN, _ROW_IN, _LINE_IN = 2.3, 0.19, 0.18
# A panel whose values span more than this factor is logarithmic.
_LOG_FROM_RATIO = 30.0
_NAME_LENGTH = 34


def draw_over_depth(layers: Sequence[str], panels: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw a row per layer, the first on top, and a panel per kind of number.

    Args:
        layers: Names in the order of the forward pass; L of them.
        panels: Title of the panel to name of the line to values ``(L,)``, NaN where there is
            none. The lines of all panels have the same names; a panel all of whose values are
            positive and far apart is logarithmic and says so.
    """
    names = list(next(iter(panels.values())))
    height = 1.1 + _ROW_IN * max(len(layers), 4) + _LINE_IN * len(names)
    figure = Figure(figsize=(2.2 + _PANEL_IN * len(panels), height), layout="constrained")
    row = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    styles = list(product(canvas.DASHES, canvas.SERIES))
    places = np.arange(len(layers))
    for axes, (title, lines) in zip(row, panels.items(), strict=True):
        values = {name: np.asarray(each, dtype=float) for name, each in lines.items()}
        for index, (name, each) in enumerate(values.items()):
            dash, color = styles[index % len(styles)]
            label = canvas.shorten(name, 60)
            settings = {"linestyle": dash, "color": color, "linewidth": 1.3, "label": label}
            axes.plot(each, places, marker="o", markersize=3, **settings)
        is_log = _scale(axes, np.concatenate(list(values.values())))
        axes.set_title(title + (" (log.)" if is_log else ""), fontsize=canvas.FONT_PT)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=canvas.SMALL_PT)
        axes.grid(color="#dddddd", linewidth=0.6)
    row[0].set_yticks(places, [canvas.shorten(name, _NAME_LENGTH) for name in layers])
    row[0].set_ylim(len(layers) - 0.5, -0.5)
    handles, labels = row[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        fontsize=canvas.SMALL_PT,
        frameon=False,
    )
    return figure


def _scale(axes: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    """Choose the scale of the x axis; returns whether it is logarithmic."""
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    if len(positive) == 0 or finite.min() < 0:
        return False
    if finite.max() <= _LOG_FROM_RATIO * positive.min():
        return False
    # Equal layers have no distance: zero is drawn, left of the smallest other one.
    lowest = 10.0 ** np.floor(np.log10(positive.min()))
    axes.set_xscale("symlog", linthresh=lowest, linscale=0.5)
    axes.set_xlim(left=0 if finite.min() == 0 else lowest)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    return True
