"""One number with its interval for each of many groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.figure import Figure

from mammography.reports.figures import canvas

_ROW_IN = 0.235


@dataclass(frozen=True)
class Branch:
    """A row of a forest plot.

    Attributes:
        label: What stands beside it.
        value: The number; NaN leaves the row empty.
        interval: Both ends; NaN where none may be given.
        heading: Whether the row is only a title.
    """

    label: str
    value: float = float("nan")
    interval: tuple[float, float] = (float("nan"), float("nan"))
    heading: bool = False


def draw_forest(
    rows: Sequence[Branch], x_title: str, centre: float, reach: tuple[float, float]
) -> Figure:
    """Draw groups from top to bottom; a number without an interval is an open circle.

    Args:
        rows: The groups and their titles.
        x_title: Title of the x axis.
        centre: Where a line is drawn to compare with: the number of all cases, or no difference.
        reach: Lowest and highest number to show, so that several plots have one scale.
    """
    height = _ROW_IN * len(rows) + 0.75
    figure, (axes,) = canvas.new_figure(size_in=(canvas.SIZE_IN[0], height))
    axes.axvline(centre, color=canvas.GREY, linewidth=1, linestyle="--")
    for place, row in enumerate(rows):
        if not isfinite(row.value):
            continue
        known = all(map(isfinite, row.interval))
        if known:
            axes.plot(row.interval, [place, place], color=canvas.BLUE, linewidth=1.6)
        axes.plot(
            row.value,
            place,
            marker="s" if known else "o",
            markersize=5.5,
            color=canvas.BLUE,
            markerfacecolor=canvas.BLUE if known else "white",
        )
    margin = 0.04 * (reach[1] - reach[0] or 1.0)
    axes.set_xlim(reach[0] - margin, reach[1] + margin)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [canvas.shorten(row.label, 30) for row in rows])
    for text, row in zip(axes.get_yticklabels(), rows, strict=True):
        text.set_fontweight("bold" if row.heading else "normal")
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    canvas.name_axes(axes, x_title, "")
    return figure
