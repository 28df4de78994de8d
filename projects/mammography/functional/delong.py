"""Variance, intervals and tests of ROC-AUCs without resampling."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RocAreas:
    """ROC-AUCs of several scores on the same cases, and how they vary together.

    Attributes:
        areas: One per score, ``(K,)``.
        covariance: Of the areas, ``(K, K)``.
    """

    areas: Floats
    covariance: Floats


@dataclass(frozen=True)
class AreaTest:
    """Whether two ROC-AUCs differ.

    Attributes:
        difference: First area minus second.
        interval: Of the difference.
        z: Difference per standard error; NaN where there is none.
        p_value: Two-sided.
    """

    difference: float
    interval: tuple[float, float]
    z: float
    p_value: float


def roc_areas(labels: ArrayLike, *scores: ArrayLike) -> RocAreas:
    """Return the ROC-AUC of each score and DeLong's covariance of them, in O(n log n).

    The cases must be independent: of images or breasts of the same patients it is too small;
    resample patients then (:func:`~mammography.functional.bootstrap.patient_bootstrap_roc_auc`).

    Shapes:
        - labels and each of scores: ``(N,)``; labels are 0 or 1. Ties count half.

    Raises:
        ValueError: If a class has fewer than two cases, or a label or score is no number it
            can be.

    References:
        DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837, equations 3 to 6; by mid-ranks
        as in Sun and Xu, IEEE Signal Processing Letters 2014;21:1389.

    Example:
        >>> found = roc_areas([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6])
        >>> round(float(found.areas[0]), 4), round(float(found.covariance[0, 0]), 4)
        (0.8889, 0.0247)
    """
    positive, table = _checked(labels, scores)
    count1, count0 = int(positive.sum()), int((~positive).sum())
    together = rankdata(table, axis=1)
    # Share of the other class that each case is ranked above: DeLong's structural components.
    above1 = (together[:, positive] - rankdata(table[:, positive], axis=1)) / count0
    above0 = 1 - (together[:, ~positive] - rankdata(table[:, ~positive], axis=1)) / count1
    covariance = np.cov(above1) / count1 + np.cov(above0) / count0
    size = len(table)
    return RocAreas(above1.mean(axis=1), np.reshape(covariance, (size, size)))


def _checked(labels: ArrayLike, scores: tuple[ArrayLike, ...]) -> tuple[NDArray[np.bool_], Floats]:
    truth = np.asarray(labels, dtype=np.float64)
    table = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if not scores or truth.ndim != 1 or table.shape[1:] != truth.shape:
        raise ValueError(
            "roc_areas: labels and scores must be as many, "
            f"got {truth.shape} labels and scores of {table.shape}"
        )
    if not np.isin(truth, (0, 1)).all() or not np.isfinite(table).all():
        raise ValueError("roc_areas: labels must be 0 or 1 and scores finite")
    positive = truth == 1
    if min(positive.sum(), (~positive).sum()) < 2:
        raise ValueError(
            "roc_areas: each class must have at least 2 cases, "
            f"got {positive.sum()} positive, {(~positive).sum()} negative"
        )
    return positive, table


def area_interval(
    area: float,
    variance: float,
    level: float = 0.95,
    scale: Literal["plain", "logit"] = "logit",
) -> tuple[float, float]:
    """Return the interval of a ROC-AUC from its variance.

    Args:
        area: The ROC-AUC.
        variance: Of the area.
        level: Coverage, between 0 and 1.
        scale: ``plain`` adds and subtracts, cut at 0 and 1; ``logit`` does so with the log odds
            of the area, stays inside by itself and covers better near 1.

    Returns:
        Both ends; NaN where the variance is 0 (all cases in order), which tells nothing.

    References:
        Pepe, The Statistical Evaluation of Medical Tests, 2003, section 5.2.

    Example:
        >>> [round(end, 3) for end in area_interval(0.9, 0.0009)]
        [0.824, 0.945]
    """
    if not variance > 0:
        return math.nan, math.nan
    reach = float(norm.ppf((1 + level) / 2)) * math.sqrt(variance)
    if scale == "plain":
        return max(area - reach, 0.0), min(area + reach, 1.0)
    centre, reach = math.log(area / (1 - area)), reach / (area * (1 - area))
    low, high = (1 / (1 + math.exp(-(centre + side * reach))) for side in (-1, 1))
    return low, high


def compare_areas(first: RocAreas, second: RocAreas | None = None, level: float = 0.95) -> AreaTest:
    """Test whether two ROC-AUCs differ.

    Args:
        first: Two areas on the same cases (a paired test), or one.
        second: One area on other cases (an unpaired test).
        level: Coverage of the interval of the difference.

    Raises:
        ValueError: If there are not two areas.

    Example:
        >>> test = compare_areas(roc_areas([0, 0, 1, 1], [1, 2, 2, 3], [3, 1, 1, 2]))
        >>> round(test.difference, 3)
        0.5
    """
    found = [*first.areas, *(second.areas if second else ())]
    if len(found) != 2:
        raise ValueError(f"compare_areas: areas must be two, got {len(found)}")
    if second is None:
        contrast = np.array([1.0, -1.0])
        variance = float(contrast @ first.covariance @ contrast)
    else:
        variance = float(first.covariance[0, 0] + second.covariance[0, 0])
    difference: Any = float(found[0] - found[1])
    if not variance > 0:
        same = math.nan if difference else 1.0
        return AreaTest(difference, (math.nan, math.nan), math.nan, same)
    error = math.sqrt(variance)
    reach = float(norm.ppf((1 + level) / 2)) * error
    z = difference / error
    return AreaTest(
        difference, (difference - reach, difference + reach), z, float(2 * norm.sf(abs(z)))
    )
