"""Intervals that respect that the images of one patient belong together."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_OF_A_CLASS = 10


def weighted_roc_auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike) -> float:
    """Return the area under the ROC curve where case ``i`` counts ``weights[i]`` times.

    Ties count half, as in the Mann-Whitney statistic.

    Shapes:
        - labels, scores, weights: ``(N,)``; labels are 0 or 1.

    Returns:
        The area, or NaN if a class has no weight.

    Example:
        >>> weighted_roc_auc([0, 0, 1], [0.1, 0.6, 0.6], [1, 2, 1])
        0.6666666666666666
    """
    order, starts, positive = _tied(labels, scores)
    return _area(np.asarray(weights, dtype=float)[order], starts, positive)


def patient_bootstrap_roc_auc(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    repeats: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of the ROC-AUC from resampled patients.

    Patients are drawn with replacement, each with all images: the images of one patient
    are alike, and an interval that takes them for independent is too narrow. A resample
    with one class only is drawn again.

    Shapes:
        - labels, scores, patients: ``(N,)``; labels are 0 or 1, patients any names.

    Args:
        labels: What was true.
        scores: Higher for class 1.
        patients: Whom each image belongs to.
        repeats: Number of resamples.
        level: Share of resamples inside the interval, between 0 and 1.
        seed: Of the resampling.

    Raises:
        ValueError: If a class has fewer than ten images, too few for an interval.

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3; patients
        as units: Rutter, Academic Radiology 2000, 7:413.
    """
    labels = np.asarray(labels)
    fewest = min((labels == 0).sum(), (labels == 1).sum())
    if fewest < FEWEST_OF_A_CLASS:
        raise ValueError(
            f"an interval must rest on at least {FEWEST_OF_A_CLASS} images of each class, "
            f"got {fewest}"
        )
    _, member = np.unique(np.asarray(patients), return_inverse=True)
    order, starts, positive = _tied(labels, scores)
    member, count = member[order], int(member.max()) + 1
    rng = np.random.default_rng(seed)
    areas: list[float] = []
    while len(areas) < repeats:
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        area = _area(drawn[member].astype(float), starts, positive)
        if not np.isnan(area):
            areas.append(area)
    low, high = np.quantile(areas, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _tied(
    labels: ArrayLike, scores: ArrayLike
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Sort by score; return the order, where each run of equal scores starts, the positives."""
    scores = np.asarray(scores, dtype=float)
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(scores[order]) > 0])
    return order, starts, np.asarray(labels)[order] == 1


def _area(weights: NDArray[Any], starts: NDArray[np.intp], positive: NDArray[np.bool_]) -> float:
    """Sum, over runs of equal scores, the positives against the negatives below and among them."""
    above = np.add.reduceat(np.where(positive, weights, 0.0), starts)
    among = np.add.reduceat(np.where(positive, 0.0, weights), starts)
    total = above.sum() * among.sum()
    if not total:
        return float("nan")
    return float((above * (np.cumsum(among) - among / 2)).sum() / total)
