"""Intervals that respect that the images of one patient belong together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import Floats, binary_cases
from mammography.functional.curve_areas import AREAS, Ranking, curve_areas
from mammography.functional.resamples import Resamples
from mammography.functional.resampling import patient_strata, resample_patients

FEWEST_OF_A_CLASS = 10


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


def bootstrap_areas(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    areas: Sequence[str] = ("roc_auc",),
    stratified: bool = False,
    repeats: int = 2000,
    seed: int = 0,
    jackknife: bool = False,
) -> Resamples:
    """Return the areas under curves of a study and of resampled patients.

    A resample with one class only is drawn again, and counted.

    Shapes:
        - labels, patients: ``(N,)``; labels are 0 or 1, patients any names.
        - scores: ``(N,)`` or ``(K, N)``, several scores of the same cases.

    Args:
        labels: What was true.
        scores: Higher for class 1.
        patients: Whom each case belongs to.
        areas: Some of ``roc_auc``, ``pr_auc``, ``average_precision``.
        stratified: Whether to draw as many patients with a positive case as there are; then
            hardly a resample lacks a class, and the number of positives does not vary, as where
            a study took cases and controls.
        repeats: Number of resamples.
        seed: Of the resampling.
        jackknife: Whether to leave out patients as well, for BCa intervals.

    Returns:
        All scores of the first area, then of the next: A times K numbers.

    Raises:
        ValueError: If a class has fewer than ten cases, too few for an interval.

    Example:
        >>> labels, patients = [0, 1] * 20, range(40)
        >>> found = bootstrap_areas(labels, [0, 3, 1, 2, 4] * 8, patients, repeats=100)
        >>> found.estimates()[0].value
        0.5
    """
    positive, table = binary_cases("bootstrap_areas", labels, scores)
    fewest = min(positive.sum(), (~positive).sum())
    if fewest < FEWEST_OF_A_CLASS:
        raise ValueError(
            f"an interval must rest on at least {FEWEST_OF_A_CLASS} cases of each class, "
            f"got {fewest}"
        )
    rankings = [Ranking.of(positive, row) for row in table]

    def statistic(weights: Floats) -> Floats:
        tallies = [ranking.tally(weights) for ranking in rankings]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.stack([AREAS[name](*tally) for name in areas for tally in tallies], axis=1)
        found[np.prod([total[:, -1] for total in tallies[0]], axis=0) == 0] = np.nan
        return found

    return resample_patients(
        statistic,
        patients,
        strata=patient_strata(positive, patients) if stratified else None,
        repeats=repeats,
        seed=seed,
        jackknife=jackknife,
    )


def patient_bootstrap(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    areas: Sequence[str] = ("roc_auc",),
    repeats: int = 2000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Return the areas of resampled patients by name, ``(repeats, K)`` each.

    See :func:`bootstrap_areas`, of which these are the draws. All scores see the same
    resamples, so that the difference of two columns is the paired difference.
    """
    found = bootstrap_areas(labels, scores, patients, areas=areas, repeats=repeats, seed=seed)
    return dict(zip(areas, np.split(found.draws, len(areas), axis=1), strict=True))


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
