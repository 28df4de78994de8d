"""How well scores tell classes apart."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from mammography.reports.figures import canvas
from mammography.reports.figures.thinning import thin

BINS = 25


def draw_roc(labels: ArrayLike, scores: ArrayLike) -> Figure:
    """Draw the receiver operating characteristic.

    Shapes:
        labels, scores: (N,)

    Args:
        labels: 0 or 1, both present.
        scores: Higher speaks for class 1.
    """
    figure, (axes,) = canvas.new_figure()
    area = roc_auc_score(labels, scores)
    add_roc(axes, labels, scores, f"AUC {area:.3f}\n{_count(np.asarray(labels))}")
    finish_roc(axes)
    canvas.add_legend(axes, "lower right")
    return figure


def add_roc(
    axes: Axes,
    labels: ArrayLike,
    scores: ArrayLike,
    label: str,
    color: str = canvas.BLUE,
    dash: str = "-",
) -> None:
    """Add a receiver operating characteristic. Shapes: labels, scores: (N,)."""
    false_rate, true_rate, _ = roc_curve(labels, scores)
    line = thin(false_rate, true_rate)
    axes.plot(*line, color=color, linestyle=dash, linewidth=1.6, label=label)


def finish_roc(axes: Axes) -> None:
    """Add the line of chance, the limits and the titles."""
    axes.plot([0, 1], [0, 1], color=canvas.GREY, linewidth=1, linestyle="--", label="chance 0.5")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    canvas.name_axes(axes, "1 - specificity", "sensitivity")


def draw_precision_recall(labels: ArrayLike, scores: ArrayLike) -> Figure:
    """Draw precision over recall as steps, with the prevalence as the baseline.

    Shapes:
        labels, scores: (N,)

    Args:
        labels: 0 or 1, both present.
        scores: Higher speaks for class 1.
    """
    labels = np.asarray(labels)
    area = average_precision_score(labels, scores)
    figure, (axes,) = canvas.new_figure()
    add_precision_recall(axes, labels, scores, f"AP {area:.3f}\n{_count(labels)}")
    finish_precision_recall(axes, float(labels.mean()))
    canvas.add_legend(axes, "upper right" if area < 0.5 else "lower left")
    return figure


def add_precision_recall(
    axes: Axes,
    labels: ArrayLike,
    scores: ArrayLike,
    label: str,
    color: str = canvas.BLUE,
    dash: str = "-",
) -> None:
    """Add precision over recall as steps. Shapes: labels, scores: (N,)."""
    precision, recall, _ = precision_recall_curve(labels, scores)
    axes.plot(
        *thin(recall, precision),
        color=color,
        linestyle=dash,
        linewidth=1.6,
        drawstyle="steps-post",
        label=label,
    )


def finish_precision_recall(axes: Axes, prevalence: float) -> None:
    """Add the baseline, the limits and the titles."""
    axes.axhline(
        prevalence,
        color=canvas.GREY,
        linewidth=1,
        linestyle="--",
        label=f"prevalence {prevalence:.3f}",
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    canvas.name_axes(axes, "recall (sensitivity)", "precision (PPV)")


def draw_score_histogram(labels: ArrayLike, scores: ArrayLike, classes: Sequence[str]) -> Figure:
    """Draw how many images of each class received which score, one class above the other.

    Each class has its own scale, so that a rare class stays visible.

    Shapes:
        labels, scores: (N,)

    Args:
        labels: 0 or 1.
        scores: Probability of class 1, in [0, 1].
        classes: Names of class 0 and class 1.
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    figure, column = canvas.new_figure(2)
    edges = np.linspace(min(0.0, scores.min()), max(1.0, scores.max()), BINS + 1)
    rows = ((1, canvas.POSITIVE), (0, canvas.NEGATIVE))
    for axes, (label, color) in zip(column, rows, strict=True):
        chosen = scores[labels == label]
        axes.hist(chosen, edges.tolist(), color=color, edgecolor="white", linewidth=0.4)
        axes.set_title(
            f"class {canvas.shorten(classes[label])}: n = {len(chosen):,}",
            fontsize=canvas.SMALL_PT,
            loc="left",
        )
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
        axes.set_ylim(bottom=0, top=None if len(chosen) else 1)
        canvas.name_axes(axes, "", "images")
    column[-1].set_xlabel("score: probability of class 1", fontsize=canvas.FONT_PT)
    return figure


def draw_confusion(counts: NDArray[Any], classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix: counts as numbers, the share of the observed class as colour.

    Shapes:
        counts: (K, K), observed class by predicted class

    Args:
        counts: Number of images in each cell.
        classes: Names of the K classes.
    """
    size = max(3.3, 1.2 + 0.38 * len(classes))
    figure, (axes,) = canvas.new_figure(size_in=(size + 0.6, size))
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    bar = figure.colorbar(picture, ax=axes, shrink=0.8)
    bar.set_label("share of the observed class", fontsize=canvas.SMALL_PT)
    bar.ax.tick_params(labelsize=canvas.SMALL_PT)
    for (row, column), count in np.ndenumerate(counts):
        color = "white" if shares[row, column] > 0.55 else "black"
        axes.text(
            column, row, str(count), ha="center", va="center", color=color, fontsize=canvas.SMALL_PT
        )
    names = [canvas.shorten(name, 14) for name in classes]
    slanted = max(map(len, names)) * len(names) > 30
    axes.set_xticks(range(len(names)), names, rotation=45 if slanted else 0)
    if slanted:
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.grid(visible=False)
    canvas.name_axes(axes, "predicted: class of highest probability", "observed class")
    return figure


def _count(labels: NDArray[Any]) -> str:
    return f"n = {len(labels):,}, {int(labels.sum()):,} positive"
