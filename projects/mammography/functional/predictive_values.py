"""What a positive and a negative call mean at a prevalence that is not that of the study."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

from mammography.functional.binary_cases import Bools, Floats, binary_cases, patients_of
from mammography.functional.estimate import Estimate


@dataclass(frozen=True)
class PredictiveValues:
    """What calls are worth.

    Attributes:
        ppv: Share of cancers among those called positive.
        npv: Share of healthy among those called negative.
    """

    ppv: Estimate
    npv: Estimate


def predictive_values(
    labels: ArrayLike,
    called: ArrayLike,
    prevalence: float,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> PredictiveValues:
    """Return both predictive values at a known prevalence, from sensitivity and specificity.

    For a study that took cases and controls, or is enriched with cancers: its own shares of
    cancers among the called say nothing of screening. It holds as far as sensitivity and
    specificity are the same there. The intervals are those of log odds.

    Shapes:
        - labels, called, patients: ``(N,)``; labels and calls are 0 or 1.

    Args:
        labels: What was true.
        called: Whether the case was called positive.
        prevalence: Share of cancers where the calls are to be used, taken as known.
        patients: Whom each case belongs to, where one has several; else each is independent.
        level: Coverage of the intervals.

    Returns:
        Where a class is called all alike its share is moved towards one half, by half the square of
        the normal quantile on both sides, and each patient counts for one.

    Raises:
        ValueError: If a class is found in fewer than two patients, a label or call is neither 0
            nor 1, or the prevalence does not lie between 0 and 1.

    References:
        Mercaldo, Lau and Zhou, Statistics in Medicine 2007;26:2170, equations 8 to 11 and table II.

    Example:
        >>> labels, called = [1] * 50 + [0] * 50, [1] * 45 + [0] * 5 + [1] * 5 + [0] * 45
        >>> found = predictive_values(labels, called, 0.01)
        >>> round(found.ppv.value, 3), [round(end, 3) for end in found.ppv.interval]
        (0.083, [0.038, 0.173])
    """
    place = "predictive_values"
    positive, table = binary_cases(place, labels, called, fewest=1)
    if len(table) != 1 or not np.isin(table, (0, 1)).all():
        raise ValueError(f"{place}: calls must be 0 or 1, one per case")
    if not 0 < prevalence < 1:
        raise ValueError(f"{place}: prevalence must lie between 0 and 1, got {prevalence}")
    cases = positive.size
    member = np.arange(cases) if patients is None else patients_of(place, patients, cases)
    sides = (positive, ~positive)
    fewest = [int(np.unique(member[side]).size) for side in sides]
    if min(fewest) < 2:
        raise ValueError(
            f"{place}: each class must be found in at least 2 patients, "
            f"got {fewest[0]} with positive and {fewest[1]} with negative cases"
        )
    z = float(ndtri((1 + level) / 2))
    rates = np.array([table[0][side].mean() for side in sides])
    sizes = np.array([side.sum() for side in sides], dtype=np.float64)
    alike = bool(((rates == 0) | (rates == 1)).any())
    if alike:
        sizes = np.array(fewest) + z**2
        rates = (rates * fewest + z**2 / 2) / sizes
    apart = np.diag(rates * (1 - rates) / sizes)
    if not alike and int(member.max()) + 1 < cases:
        apart = _covariance(positive, table[0], member)
    ppv = _estimate(rates, apart, float(logit(prevalence)), z)
    return PredictiveValues(
        ppv, _estimate(1 - rates[::-1], apart[::-1, ::-1], float(logit(1 - prevalence)), z)
    )


def _estimate(shares: Floats, covariance: Floats, odds: float, z: float) -> Estimate:
    """Return a predictive value from the shares of both classes that are called so."""
    slopes = np.array([1, -1]) / shares
    centre = odds + math.log(shares[0] / shares[1])
    reach = z * math.sqrt(slopes @ covariance @ slopes)
    value, low, high = (float(expit(centre + side * reach)) for side in (0, -1, 1))
    return Estimate(value, (low, high))


def _covariance(positive: Bools, called: Floats, member: NDArray[np.intp]) -> Floats:
    """Return the covariance of sensitivity and false positive rate, between patients of a kind."""
    count = int(member.max()) + 1
    parts = np.stack(
        [
            np.bincount(member[side], (called[side] - called[side].mean()) / side.sum(), count)
            for side in (positive, ~positive)
        ]
    )
    ill = np.bincount(member, positive, count) > 0
    # A single patient without a cancer, beside some with cases of both classes, tells no spread.
    kinds = (ill, ~ill) if (~ill).sum() > 1 else (np.ones(count, bool),)
    return np.asarray(sum(kind.sum() * np.cov(parts[:, kind]) for kind in kinds))
