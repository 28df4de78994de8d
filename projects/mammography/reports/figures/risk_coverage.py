"""What is lost when a model decides only the cases it is surest of."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mammography.reports.figures import canvas
from mammography.reports.figures.thinning import thin


@dataclass(frozen=True, eq=False)
class Line:
    """A risk-coverage curve.

    Attributes:
        name: Text of the legend.
        coverage: Share of cases that are decided, rising.
        risk: Error rate among them.
        color: Number of the colour, from 0.
        dash: Number of the dash, from 0.
    """

    name: str
    coverage: ArrayLike
    risk: ArrayLike
    color: int = 0
    dash: int = 0


def draw_risk_coverage(lines: Sequence[Line]) -> Figure:
    """Draw the error rate among the decided cases over their share.

    Args:
        lines: The curves, in order.
    """
    width, height = canvas.SIZE_IN
    figure, (axes,) = canvas.new_figure(size_in=(width, height + 0.18 * len(lines)))
    for line in lines:
        axes.plot(
            *thin(line.coverage, line.risk, max_points=800),
            color=canvas.SERIES[line.color % len(canvas.SERIES)],
            linestyle=canvas.DASHES[line.dash % len(canvas.DASHES)],
            linewidth=1.6,
            label=canvas.shorten(line.name, 44),
        )
    axes.set(xlim=(0, 1.02))
    axes.set_ylim(bottom=0)
    canvas.name_axes(axes, "coverage: share of cases that are decided", "wrong among the decided")
    figure.legend(
        loc="outside lower center", fontsize=canvas.SMALL_PT, frameon=False, handlelength=3
    )
    return figure
