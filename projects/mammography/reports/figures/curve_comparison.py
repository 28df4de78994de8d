"""ROC and precision-recall curves of several models on the same cases."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice, product
from typing import TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mammography.reports.figures import canvas
from mammography.reports.figures.classification import (
    add_precision_recall,
    add_roc,
    finish_precision_recall,
    finish_roc,
)

# More curves than this cannot be told apart in one figure.
MOST_CURVES = 2 * len(canvas.SERIES)
_LINE_IN = 0.18
_NAME_LENGTH = 44

T = TypeVar("T")
Band = tuple[ArrayLike, ArrayLike, ArrayLike]


def draw_rocs(
    curves: Mapping[str, ArrayLike], labels: ArrayLike, bands: Sequence[Band] = ()
) -> Figure:
    """Draw the ROC of several scores of the same cases, told apart by colour and dash.

    Shapes:
        labels and each of the scores: (N,)

    Args:
        curves: Text of the legend to scores, in order.
        labels: 0 or 1, both present.
        bands: Positions along x, lower and upper ends of each curve, if they are known.
    """
    return _draw(curves, labels, add_roc, finish_roc, bands)


def draw_precision_recalls(
    curves: Mapping[str, ArrayLike], labels: ArrayLike, bands: Sequence[Band] = ()
) -> Figure:
    """Draw precision over recall of several scores of the same cases; see :func:`draw_rocs`."""
    prevalence = float(np.mean(np.asarray(labels)))
    return _draw(
        curves,
        labels,
        add_precision_recall,
        lambda axes: finish_precision_recall(axes, prevalence),
        bands,
    )


def split_curves(curves: Mapping[str, T]) -> list[dict[str, T]]:
    """Divide curves over as many figures as it takes to tell them apart.

    Example:
        >>> [len(part) for part in split_curves({str(i): [i] for i in range(20)})]
        [12, 8]
    """
    left = iter(curves.items())
    return [dict(islice(left, MOST_CURVES)) for _ in range(-(-len(curves) // MOST_CURVES))]


def _draw(
    curves: Mapping[str, ArrayLike],
    labels: ArrayLike,
    add: Callable[[Axes, ArrayLike, ArrayLike, str, str, str], None],
    finish: Callable[[Axes], None],
    bands: Sequence[Band],
) -> Figure:
    width, height = canvas.SIZE_IN
    # The legend lies below the axes, where it hides no curve.
    figure, (axes,) = canvas.new_figure(size_in=(width, height + _LINE_IN * (len(curves) + 1)))
    styles = list(product(canvas.DASHES, canvas.SERIES))
    for (x, low, high), (_, color) in zip(bands, styles, strict=False):
        ends = np.asarray(low), np.asarray(high)
        axes.fill_between(np.asarray(x), *ends, color=color, alpha=0.13, linewidth=0)
    for (name, scores), (dash, color) in zip(curves.items(), styles, strict=False):
        add(axes, labels, scores, canvas.shorten(name, _NAME_LENGTH), color, dash)
    finish(axes)
    figure.legend(
        loc="outside lower center", fontsize=canvas.SMALL_PT, frameon=False, handlelength=3
    )
    return figure
