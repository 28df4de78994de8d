"""How far two readers, or a reader and a model, agree on ordered classes."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from statsmodels.stats.inter_rater import cohens_kappa

from mammography.functional.estimate import Estimate

Weights = Literal["none", "linear", "quadratic"]

_ROUNDING = 1e-12


def weighted_kappa(
    first: ArrayLike,
    second: ArrayLike,
    weights: Weights = "quadratic",
    level: float = 0.95,
) -> Estimate:
    """Return Cohen's kappa of independent cases with its interval for many cases.

    Shapes:
        - first, second: ``(N,)``, classes as numbers; 0, 1, 2, ... where they are ordered.

    Args:
        first: Of one reader.
        second: Of the other.
        weights: What a disagreement costs: always the same (``none``), the distance of the classes
            (``linear``) or its square (``quadratic``, which for classes like BI-RADS or density
            is close to the intraclass correlation).
        level: Coverage of the interval.

    Returns:
        Kappa; NaN where both give one and the same class to all cases. The interval is NaN where
        one reader gives one class to all cases, and where the formula has no standard error, as of
        some tables of few cases.

    Raises:
        ValueError: If they are not as many, a class is no whole number, or weights are unknown.

    References:
        Cohen, Psychological Bulletin 1968;70:213; the standard error: Fleiss, Cohen and Everitt,
        Psychological Bulletin 1969;72:323.

    Example:
        >>> found = weighted_kappa([0, 1, 2, 2, 1, 0], [0, 1, 2, 1, 1, 1])
        >>> round(found.value, 3)
        0.667
    """
    one, two = (np.asarray(classes, dtype=np.float64) for classes in (first, second))
    if one.ndim != 1 or one.shape != two.shape or not one.size:
        raise ValueError(f"weighted_kappa: classes must be as many, got {one.shape}, {two.shape}")
    both = np.stack([one, two])
    if not (np.isfinite(both).all() and (both == np.round(both)).all() and both.min() >= 0):
        raise ValueError("weighted_kappa: classes must be whole numbers from 0")
    if weights not in ("none", "linear", "quadratic"):
        raise ValueError(
            f"weighted_kappa: weights must be 'none', 'linear' or 'quadratic', got {weights!r}"
        )
    if np.ptp(both) == 0:
        return Estimate(math.nan)
    size = int(both.max()) + 1
    table = np.zeros((size, size))
    np.add.at(table, (one.astype(int), two.astype(int)), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = cohens_kappa(table, wt=None if weights == "none" else weights)
    value = float(found.kappa)
    if not np.ptp(one) * np.ptp(two):
        return Estimate(value)  # Its variance is 0, of which rounding makes anything or nothing.
    # The same of a variance of 0 from full agreement.
    variance = 0.0 if abs(found.var_kappa) < _ROUNDING else float(found.var_kappa)
    reach = float(ndtri((1 + level) / 2)) * math.sqrt(variance) if variance >= 0 else math.nan
    return Estimate(value, (value - reach, value + reach))
