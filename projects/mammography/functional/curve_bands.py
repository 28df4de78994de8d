"""Bands around ROC and precision-recall curves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import Floats, binary_cases
from mammography.functional.curve_areas import Ranking
from mammography.functional.resampling import patient_strata, resample_patients

POINTS = 101


@dataclass(frozen=True, eq=False)
class BootstrappedCurves:
    """How the curves of K scores vary over resampled patients.

    Attributes:
        at: Where the bands are known, from 0 to 1, ``(P,)``.
        sensitivity: At each false positive rate, ``(K, P, 2)``.
        precision: At each recall, ``(K, P, 2)``.
    """

    at: Floats
    sensitivity: Floats
    precision: Floats


def bootstrap_curves(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    points: int = POINTS,
    repeats: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> BootstrappedCurves:
    """Return pointwise bands from resampled patients.

    Patients with and without a positive case are drawn apart, as many of each as there are. A
    band holds at each point by itself, not along the whole curve. Sensitivity follows straight
    lines between the points of the ROC; precision is that of the highest threshold that reaches
    the recall, as no threshold lies on a line between two.

    Shapes:
        - labels, patients: ``(N,)``; labels are 0 or 1.
        - scores: ``(N,)`` or ``(K, N)``.

    Args:
        labels: What was true.
        scores: Higher for class 1.
        patients: Whom each case belongs to.
        points: Number of positions from 0 to 1.
        repeats: Number of resamples.
        seed: Of the resampling.
        level: Share of the resamples inside the bands at each point.

    Raises:
        ValueError: If a class is absent or a value none that it can be.

    References:
        Macskassy and Provost, Confidence Bands for ROC Curves, ROCAI 2004 (vertical averaging).

    Example:
        >>> found = bootstrap_curves([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], range(6), repeats=100)
        >>> found.sensitivity.shape, bool((found.sensitivity[0, -1] == 1).all())
        ((1, 101, 2), True)
    """
    positive, table = binary_cases("bootstrap_curves", labels, scores, fewest=1)
    rankings = [Ranking.of(positive, row) for row in table]
    at, size = np.linspace(0, 1, points), len(table)

    def statistic(weights: Floats) -> Floats:
        parts = [_numbers(*ranking.tally(weights), at) for ranking in rankings]
        return np.stack(parts, axis=1).reshape(len(weights), -1)

    drawn = resample_patients(
        statistic, patients, strata=patient_strata(positive, patients), repeats=repeats, seed=seed
    )
    draws = drawn.draws.reshape(len(drawn.draws), size, -1)
    ends = [(1 - level) / 2, (1 + level) / 2]
    bands = np.moveaxis(np.quantile(draws, ends, axis=0), 0, -1)
    return BootstrappedCurves(at, bands[:, :points], bands[:, points:])


def _numbers(found: Floats, false: Floats, at: Floats) -> Floats:
    """Return sensitivity at false positive rates, then precision at recalls.

    Shapes:
        found, false: ``(R, T)``; at: ``(P,)``; the result ``(R, 2 P)``.
    """
    numbers = np.full((len(found), 2 * len(at)), np.nan)
    defined = (found[:, -1] > 0) & (false[:, -1] > 0)
    for row in np.flatnonzero(defined):
        true_rate = np.append(0.0, found[row] / found[row, -1])
        false_rate = np.append(0.0, false[row] / false[row, -1])
        numbers[row, : len(at)] = _highest(at, false_rate, true_rate)
        above = found[row] + false[row]
        # No threshold lies above the first case that was drawn.
        first = np.maximum(np.searchsorted(true_rate[1:], at - 1e-12), np.argmax(above > 0))
        numbers[row, len(at) :] = found[row, first] / above[first]
    return numbers


def _highest(at: Floats, x: Floats, y: Floats) -> Floats:
    """Interpolate; where x stands still, the highest y counts."""
    last = np.searchsorted(x, at, side="right") - 1
    following = np.minimum(last + 1, len(x) - 1)
    width = x[following] - x[last]
    share = np.divide(at - x[last], width, out=np.zeros_like(at), where=width > 0)
    return np.asarray(y[last] + share * (y[following] - y[last]))
