"""Intervals that respect that the images of one patient belong together."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.curve_areas import AREAS, Ranking, curve_areas

FEWEST_OF_A_CLASS = 10
# Cases times resamples that are held at a time: some ten megabytes per array.
_HELD = 2_000_000

Floats = NDArray[np.float64]


def weighted_roc_auc(labels: ArrayLike, scores: ArrayLike, weights: ArrayLike) -> float:
    """Return the area under the ROC curve where case ``i`` counts ``weights[i]`` times.

    Ties count half, as in the Mann-Whitney statistic.

    Shapes:
        - labels, scores, weights: ``(N,)``; labels are 0 or 1.

    Returns:
        The area, or NaN if a class has no weight.

    Example:
        >>> round(weighted_roc_auc([0, 0, 1], [0.1, 0.6, 0.6], [1, 2, 1]), 4)
        0.6667
    """
    return curve_areas(labels, scores, weights)["roc_auc"]


def patient_bootstrap(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    areas: Sequence[str] = ("roc_auc",),
    repeats: int = 2000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Return the areas under curves of resampled patients.

    Patients are drawn with replacement, each with all cases: the images or breasts of one patient
    are alike, and an interval that takes them for independent is too narrow. A resample
    with one class only is drawn again. All scores see the same resamples, so that the
    difference of two columns is the paired difference.

    Shapes:
        - labels, patients: ``(N,)``; labels are 0 or 1, patients any names.
        - scores: ``(N,)`` or ``(K, N)``, several scores of the same cases.

    Args:
        labels: What was true.
        scores: Higher for class 1.
        patients: Whom each case belongs to.
        areas: Some of ``roc_auc``, ``pr_auc``, ``average_precision``.
        repeats: Number of resamples.
        seed: Of the resampling.

    Returns:
        Name of the area to its values, ``(repeats, K)``.

    Raises:
        ValueError: If a class has fewer than ten cases, too few for an interval.

    References:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3; patients
        as units: Rutter, Academic Radiology 2000, 7:413.
    """
    truth = np.asarray(labels)
    fewest = min((truth == 0).sum(), (truth == 1).sum())
    if fewest < FEWEST_OF_A_CLASS:
        raise ValueError(
            f"an interval must rest on at least {FEWEST_OF_A_CLASS} cases of each class, "
            f"got {fewest}"
        )
    rankings = [Ranking.of(truth, row) for row in np.atleast_2d(np.asarray(scores, float))]
    parts: dict[str, list[Floats]] = {name: [] for name in areas}
    for weights in _resample(truth == 1, np.asarray(patients), repeats, seed):
        tallies = [ranking.tally(weights) for ranking in rankings]
        for name, part in parts.items():
            part.append(np.stack([AREAS[name](*tally) for tally in tallies], axis=1))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _resample(
    positive: NDArray[np.bool_], patients: NDArray[np.generic], repeats: int, seed: int
) -> Iterator[Floats]:
    """Yield how often each case counts, a row per resample, some resamples at a time."""
    _, member = np.unique(patients, return_inverse=True)
    count = int(member.max()) + 1
    rng = np.random.default_rng(seed)
    step, left = max(1, _HELD // len(member)), repeats
    while left:
        rows = min(step, left)
        drawn = rng.integers(count, size=(rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * count).reshape(rows, count)
        weights = times[:, member].astype(float)
        of_class_1 = weights[:, positive].sum(axis=1)
        weights = weights[(of_class_1 > 0) & (of_class_1 < weights.sum(axis=1))]
        left -= len(weights)
        yield weights


def percentile_interval(draws: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return the interval that holds a share of ``level`` of draws, as much outside on each side.

    Shapes:
        draws: ``(R,)``.

    Example:
        >>> percentile_interval(range(101), level=0.5)
        (25.0, 75.0)
    """
    low, high = np.quantile(np.asarray(draws, float), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


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
        ValueError: If a class has fewer than ten cases; see :func:`patient_bootstrap`.
    """
    draws = patient_bootstrap(labels, scores, patients, repeats=repeats, seed=seed)["roc_auc"]
    return percentile_interval(draws[:, 0], level)
