"""How scores and uncertainties are spread over right and wrong decisions."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from mammography.reports.figures import canvas

BINS = 30
# The wrong decisions stand out: darker and hatched, so that no colour is needed to see them.
_STYLES = {
    "TP": (canvas.VERMILLION, ""),
    "FN": ("#8f3f00", "////"),
    "TN": (canvas.SKY, ""),
    "FP": ("#004a75", "////"),
}


@dataclass(frozen=True)
class OutcomeCounts:
    """A histogram by label and outcome.

    Attributes:
        edges: Of the bins, ``(B + 1,)``.
        counts: ``TP``, ``FN``, ``TN``, ``FP`` to the number of cases in each bin.
    """

    edges: tuple[float, ...]
    counts: dict[str, tuple[int, ...]]


def cases_by_outcome(labels: ArrayLike, recalled: ArrayLike) -> dict[str, NDArray[np.bool_]]:
    """Return which cases are ``TP``, ``FN``, ``TN`` and ``FP``. Shapes: all ``(N,)``."""
    truth, called = np.asarray(labels) == 1, np.asarray(recalled, dtype=bool)
    return {
        "TP": truth & called,
        "FN": truth & ~called,
        "TN": ~truth & ~called,
        "FP": ~truth & called,
    }


def count_outcomes(
    values: ArrayLike, labels: ArrayLike, recalled: ArrayLike, *, shares: bool = False
) -> OutcomeCounts:
    """Count cases by value and outcome.

    Shapes:
        values, labels, recalled: ``(N,)``.

    Args:
        values: What is spread.
        labels: 0 or 1.
        recalled: Whether the model calls the case positive.
        shares: Whether the values are probabilities: the axis runs from 0 to 1 then.

    Example:
        >>> found = count_outcomes([0.1, 0.9], [0, 1], [False, True])
        >>> {name: sum(counts) for name, counts in found.counts.items()}
        {'TP': 1, 'FN': 0, 'TN': 1, 'FP': 0}
    """
    value = np.asarray(values, dtype=np.float64)
    low, high = float(value.min()), float(value.max())
    if shares:
        low, high = 0.0, 1.0
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    chosen = cases_by_outcome(labels, recalled)
    counts = {
        name: tuple(np.histogram(value[cases], edges)[0].tolist()) for name, cases in chosen.items()
    }
    return OutcomeCounts(tuple(edges.tolist()), counts)


def draw_outcomes(found: OutcomeCounts, x_title: str, threshold: float | None = None) -> Figure:
    """Draw the histogram of positive cases above that of negative ones, each with its own scale.

    Args:
        found: What was counted.
        x_title: Title of the x axis, with its unit.
        threshold: Where the decision falls, if it falls along this axis.
    """
    width, height = canvas.SIZE_IN
    figure, column = canvas.new_figure(2, size_in=(width, height + 0.5))
    edges = np.asarray(found.edges)
    for axes, kind, parts in zip(
        column, ("positive", "negative"), (("TP", "FN"), ("TN", "FP")), strict=True
    ):
        base = np.zeros(len(edges) - 1)
        for name in parts:
            counts = np.asarray(found.counts[name])
            color, hatch = _STYLES[name]
            axes.bar(
                edges[:-1],
                counts,
                np.diff(edges),
                bottom=base,
                align="edge",
                color=color,
                hatch=hatch,
                edgecolor="white",
                linewidth=0.4,
                label=f"{name} {counts.sum():,}",
            )
            base += counts
        total = sum(sum(found.counts[name]) for name in parts)
        axes.set_title(f"{kind} cases: n = {total:,}", fontsize=canvas.SMALL_PT, loc="left")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
        axes.set_ylim(0, max(1.0, base.max() * 1.05))
        canvas.name_axes(axes, "", "cases")
        if threshold is not None:
            axes.axvline(threshold, color=canvas.BLACK, linewidth=1, linestyle="--")
        canvas.add_legend(axes, "best")
    column[-1].set_xlim(edges[0], edges[-1])
    column[-1].xaxis.set_major_locator(MaxNLocator(nbins=6))
    column[-1].set_xlabel(x_title, fontsize=canvas.FONT_PT)
    return figure
