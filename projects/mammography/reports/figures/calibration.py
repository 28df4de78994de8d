"""Whether predicted risks come true, and what decisions at them are worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from mammography.reports.figures import canvas
from mammography.reports.figures.thinning import thin

Floats = NDArray[np.float64]
BINS = 40


@dataclass(frozen=True, eq=False)
class Reliability:
    """Groups of cases of like risk.

    Attributes:
        predicted: Mean predicted risk of each group, ``(B,)``.
        observed: Share of class 1 in each group, ``(B,)``.
        intervals: Of the shares, ``(B, 2)``.
    """

    predicted: Floats
    observed: Floats
    intervals: Floats


def draw_calibration(
    groups: Reliability,
    smooth: tuple[ArrayLike, ArrayLike] | None,
    labels: ArrayLike,
    risks: ArrayLike,
) -> Figure:
    """Draw observed over predicted risk, and below how many cases have which risk.

    Shapes:
        labels, risks: ``(N,)``.

    Args:
        groups: Cases of like risk.
        smooth: Predicted and smoothed observed risk, rising; None where there is none.
        labels: 0 or 1.
        risks: Predicted, in [0, 1].
    """
    width, height = canvas.SIZE_IN
    figure, (axes, below) = canvas.new_figure(2, size_in=(width, height + 1.3), heights=(3, 1))
    axes.plot([0, 1], [0, 1], color=canvas.GREY, linewidth=1, linestyle="--", label="perfect")
    if smooth is not None:
        line = thin(*smooth, max_points=400)
        axes.plot(*line, color=canvas.BLUE, linewidth=1.8, label="loess")
    reach = np.abs(groups.intervals.T - groups.observed)
    axes.errorbar(
        groups.predicted,
        groups.observed,
        yerr=reach,
        fmt="o",
        markersize=4,
        color=canvas.BLACK,
        linewidth=1,
        label="groups of like risk, 95 %",
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    canvas.name_axes(axes, "", "observed share of positives")
    canvas.add_legend(axes, "upper left")
    truth, risk = np.asarray(labels), np.asarray(risks)
    edges = np.linspace(0, 1, BINS + 1)
    for label, color in ((0, canvas.NEGATIVE), (1, canvas.POSITIVE)):
        counts, _ = np.histogram(risk[truth == label], edges)
        side = -1 if label == 0 else 1
        heights = side * np.sqrt(counts)
        below.bar(edges[:-1], heights, np.diff(edges), align="edge", color=color)
    below.axhline(0, color=canvas.BLACK, linewidth=0.6)
    ticks = MaxNLocator(4, integer=True, symmetric=True).tick_values(*below.get_ylim())
    below.set_yticks(ticks, [f"{round(tick * tick):,}" for tick in ticks])
    below.set_ylim(min(ticks), max(ticks))
    canvas.name_axes(below, "predicted risk", "cases (√ scale)\nneg. | pos.")
    return figure


@dataclass(frozen=True, eq=False)
class Benefit:
    """The net benefit of a model.

    Attributes:
        name: Of the model.
        values: At each threshold, ``(T,)``.
        intervals: ``(T, 2)``; None where there are none.
    """

    name: str
    values: Floats
    intervals: Floats | None = None


def draw_decision_curve(
    thresholds: ArrayLike, models: Sequence[Benefit], treat_all: ArrayLike
) -> Figure:
    """Draw net benefit over the risk at which one would recall, beside recalling all and nobody.

    Shapes:
        thresholds, treat_all: ``(T,)``.

    Args:
        thresholds: Rising, in (0, 1).
        models: Their net benefit.
        treat_all: Net benefit of recalling all.
    """
    at, everyone = np.asarray(thresholds), np.asarray(treat_all)
    width, height = canvas.SIZE_IN
    lines = len(models) + 2
    figure, (axes,) = canvas.new_figure(size_in=(width, height + 0.18 * lines))
    styles = product(canvas.DASHES, canvas.SERIES)
    for model, (dash, color) in zip(models, styles, strict=False):
        if model.intervals is not None:
            axes.fill_between(at, *model.intervals.T, color=color, alpha=0.13, linewidth=0)
        label = canvas.shorten(model.name, 44)
        axes.plot(at, model.values, color=color, linestyle=dash, linewidth=1.6, label=label)
    axes.plot(at, everyone, color=canvas.GREY, linewidth=1.2, label="recall all")
    axes.axhline(0, color=canvas.BLACK, linewidth=1, linestyle=":", label="recall nobody")
    top = max([float(everyone[0]), *(float(model.values.max()) for model in models)])
    axes.set(xlim=(0, float(at[-1])), ylim=(-0.12 * top, 1.08 * top))
    canvas.name_axes(axes, "threshold: risk at which one would recall", "net benefit per case")
    figure.legend(loc="outside lower center", fontsize=canvas.SMALL_PT, frameon=False, ncols=1)
    return figure
