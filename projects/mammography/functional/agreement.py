"""How far two readers, or a reader and a model, agree on ordered classes."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from statsmodels.stats.inter_rater import cohens_kappa

from mammography.functional.binary_cases import Floats, patients_of
from mammography.functional.estimate import Estimate
from mammography.functional.jackknife import Jackknife

Weights = Literal["none", "linear", "quadratic"]


def weighted_kappa(
    first: ArrayLike,
    second: ArrayLike,
    weights: Weights = "quadratic",
    level: float = 0.95,
    patients: ArrayLike | None = None,
) -> Estimate:
    """Return Cohen's kappa with its interval.

    The interval is that of the jackknife on Fisher's scale, which holds for some tens of cases;
    the usual standard error (Fleiss, Cohen and Everitt, 1969) is for many and lies too high.

    Shapes:
        - first, second, patients: ``(N,)``; classes are numbers, 0, 1, 2, ... where ordered.

    Args:
        first: Of one reader.
        second: Of the other.
        weights: What a disagreement costs: always the same (``none``), the distance of the classes
            (``linear``) or its square (``quadratic``, which for classes like BI-RADS or density
            is close to the intraclass correlation).
        level: Coverage of the interval.
        patients: Whom each case belongs to, where one has several; else each is independent.

    Returns:
        Kappa; NaN where both give one and the same class to all cases. The interval is NaN where
        one reader gives one class to all cases, and where both agree on all.

    Raises:
        ValueError: If they are not as many, a class is no whole number, or weights are unknown.

    References:
        Cohen, Psychological Bulletin 1968;70:213; the jackknife of kappa: Davies and Fleiss,
        Biometrics 1982;38:1047; Fisher's scale for such coefficients: Lin, Biometrics 1989;45:255.

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
    cell = one.astype(np.intp) * size + two.astype(np.intp)
    table = np.bincount(cell, minlength=size**2).astype(np.float64)
    if patients is None:
        # Cases of one cell are alike: leaving out any of them gives the same.
        cells, unit = np.unique(cell, return_inverse=True)
        taken = np.eye(size**2)[cells]
    else:
        member = patients_of("weighted_kappa", patients, cell.size)
        taken = np.zeros((int(member.max()) + 1, size**2))
        np.add.at(taken, (member, cell), 1)
        unit = np.arange(len(taken))
    value, *left = (_kappa(each.reshape(size, size), weights) for each in [table, *(table - taken)])
    found = Jackknife(np.array([value]), np.array(left)[unit, None], np.zeros(unit.size, np.intp))
    return found.estimates(level, "fisher")[0]


def _kappa(table: Floats, weights: Weights) -> float:
    """Return the kappa of a table of both readers' classes; NaN where it is not defined."""
    if not table.any():  # Without the only patient.
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        wt = None if weights == "none" else weights
        return float(cohens_kappa(table, wt=wt, return_results=False))
