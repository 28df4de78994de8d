"""Areas under curves of cases that may count several times, or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Cases from the highest score to the lowest, sorted once for many weights.

    Attributes:
        order: The cases, ``(N,)``.
        starts: Where each run of equal scores begins, ``(T,)``.
        positive: Whether each case of ``order`` is of class 1, ``(N,)``.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    positive: NDArray[np.bool_]

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike) -> "Ranking":
        """Sort cases; labels are 0 or 1. Shapes: both ``(N,)``."""
        score = np.asarray(scores, dtype=np.float64)
        order = np.argsort(-score, kind="stable")
        starts = np.flatnonzero(np.diff(score[order], prepend=np.inf))
        return cls(order, starts, np.asarray(labels)[order] == 1)

    def tally(self, weights: ArrayLike) -> tuple[Floats, Floats]:
        """Count true and false positives with each score as the threshold.

        Shapes:
            weights: ``(..., N)``, how often each case counts; the results ``(..., T)``.
        """
        counts = np.asarray(weights, dtype=np.float64)[..., self.order]
        found = np.add.reduceat(np.where(self.positive, counts, 0.0), self.starts, axis=-1)
        false = np.add.reduceat(np.where(self.positive, 0.0, counts), self.starts, axis=-1)
        return np.cumsum(found, axis=-1), np.cumsum(false, axis=-1)


def roc_auc(found: Floats, false: Floats) -> Floats:
    """Return the area under the ROC curve; ties count half.

    Shapes:
        found, false: ``(..., T)`` of :meth:`Ranking.tally`; the result ``(...)``.
    """
    area = np.trapezoid(_from(0.0, found), _from(0.0, false), axis=-1)
    return np.asarray(area / (found[..., -1] * false[..., -1]))


def pr_auc(found: Floats, false: Floats) -> Floats:
    """Return the area under the precision-recall curve by trapezoids, from recall 0.

    Between the points of the curve it follows straight lines, along which no threshold lies
    (Davis and Goadrich, ICML 2006): with few positives it is far from
    :func:`average_precision`. Published tables use it. Shapes: as :func:`roc_auc`.
    """
    recall = found / found[..., -1:]
    area = np.trapezoid(_from(1.0, _precision(found, false)), _from(0.0, recall), axis=-1)
    return np.asarray(area)


def average_precision(found: Floats, false: Floats) -> Floats:
    """Return the sum of precision times step in recall. Shapes: as :func:`roc_auc`."""
    steps = np.diff(found, axis=-1, prepend=0.0)
    return np.asarray((steps * _precision(found, false)).sum(axis=-1) / found[..., -1])


AREAS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "roc_auc": roc_auc,
    "pr_auc": pr_auc,
    "average_precision": average_precision,
}


def curve_areas(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Return all areas of :data:`AREAS`.

    Shapes:
        - labels, scores, weights: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        scores: Higher for class 1.
        weights: How often each case counts, >= 0; once by default.

    Returns:
        Name to area; NaN if a class has no weight.

    Example:
        >>> found = curve_areas([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> {name: round(area, 3) for name, area in found.items()}
        {'roc_auc': 0.75, 'pr_auc': 0.792, 'average_precision': 0.833}
    """
    found, false = Ranking.of(labels, scores).tally(
        np.ones(np.size(labels)) if weights is None else weights
    )
    if not found[-1] * false[-1]:
        return dict.fromkeys(AREAS, float("nan"))
    return {name: float(area(found, false)) for name, area in AREAS.items()}


def _precision(found: Floats, false: Floats) -> Floats:
    """Return the share of class 1 among the cases above each score; 1 above all of them."""
    above = found + false
    return np.divide(found, above, out=np.ones_like(found), where=above > 0)


def _from(value: float, curve: Floats) -> Floats:
    return np.concatenate([np.full((*curve.shape[:-1], 1), value), curve], axis=-1)
