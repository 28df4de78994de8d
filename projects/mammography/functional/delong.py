"""Variance, intervals and tests of ROC-AUCs without resampling."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, rankdata, t

from mammography.functional.binary_cases import Bools, Floats, binary_cases


@dataclass(frozen=True, eq=False)
class RocAreas:
    """ROC-AUCs of several scores on the same cases, and how they vary together.

    Attributes:
        areas: One per score, ``(K,)``.
        covariance: Of the areas, ``(K, K)``.
        cases: How many independent cases (patients, where they are the units) these rest on;
            infinite where that is not known.
    """

    areas: Floats
    covariance: Floats
    cases: float = math.inf

    def pair(self, first: int, second: int) -> "RocAreas":
        """Return two of them, for a paired test.

        Example:
            >>> three = RocAreas(np.array([0.7, 0.8, 0.9]), np.diag([1.0, 2.0, 3.0]))
            >>> three.pair(2, 0).areas.tolist(), three.pair(2, 0).covariance.tolist()
            ([0.9, 0.7], [[3.0, 0.0], [0.0, 1.0]])
        """
        rows = [first, second]
        return RocAreas(self.areas[rows], self.covariance[np.ix_(rows, rows)], self.cases)


@dataclass(frozen=True)
class AreaTest:
    """Whether two ROC-AUCs differ.

    Attributes:
        difference: First area minus second.
        interval: Of the difference.
        z: Difference per standard error; NaN where there is none.
        p_value: Two-sided.
        degrees: Degrees of freedom of Student's t; infinite where ``z`` is taken for normal.
    """

    difference: float
    interval: tuple[float, float]
    z: float
    p_value: float
    degrees: float = math.inf


def roc_areas(labels: ArrayLike, *scores: ArrayLike) -> RocAreas:
    """Return the ROC-AUC of each score and DeLong's covariance of them, in O(n log n).

    The cases must be independent: of images or breasts of the same patients it is too small;
    :func:`~mammography.functional.clustered_areas.clustered_roc_areas` is for those.

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
    positive, table = binary_cases("roc_areas", labels, scores, fewest=2)
    above1, above0 = shares_below(positive, table)
    covariance = np.cov(above1) / above1.shape[1] + np.cov(above0) / above0.shape[1]
    size = len(table)
    return RocAreas(above1.mean(axis=1), np.reshape(covariance, (size, size)), positive.size)


def shares_below(positive: Bools, scores: Floats) -> tuple[Floats, Floats]:
    """Return DeLong's structural components, in O(n log n).

    Shapes:
        positive: ``(N,)``; scores: ``(K, N)``.

    Returns:
        For each positive case the share of negative ones below it, ``(K, P)``, and for each
        negative case the share of positive ones above it, ``(K, N - P)``; ties count half.

    Example:
        >>> shares_below(np.array([False, True, True]), np.array([[2.0, 2.0, 3.0]]))
        (array([[0.5, 1. ]]), array([[0.75]]))
    """
    count1, count0 = int(positive.sum()), int((~positive).sum())
    together = rankdata(scores, axis=1)
    above1 = (together[:, positive] - rankdata(scores[:, positive], axis=1)) / count0
    above0 = 1 - (together[:, ~positive] - rankdata(scores[:, ~positive], axis=1)) / count1
    return above1, above0


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

    The test takes the scores as given. It is not valid for a model and the same model with one
    more variable where both were fitted to these very cases: their areas vary far less than the
    variance says (Demler, Pencina and D'Agostino, Statistics in Medicine 2012;31:2577).

    Args:
        first: Two areas on the same cases (a paired test), or one.
        second: One area on other cases (an unpaired test, by Welch's t).
        level: Coverage of the interval of the difference.

    Raises:
        ValueError: If there are not two areas.

    References:
        Paired: DeLong et al., Biometrics 1988;44:837, equation 8. Unpaired: Welch, Biometrika
        1947;34:28, with the number of cases of each area, as in pROC (Robin et al., BMC
        Bioinformatics 2011;12:77).

    Example:
        >>> test = compare_areas(roc_areas([0, 0, 1, 1], [1, 2, 2, 3], [3, 1, 1, 2]))
        >>> round(test.difference, 3)
        0.5
    """
    found = [*first.areas, *(second.areas if second else ())]
    if len(found) != 2:
        raise ValueError(f"compare_areas: areas must be two, got {len(found)}")
    difference = float(found[0] - found[1])
    degrees = math.inf
    if second is None:
        contrast = np.array([1.0, -1.0])
        variance = float(contrast @ first.covariance @ contrast)
        # What rounding leaves of two scores that rank all cases alike.
        variance *= variance > 1e-14 * float(np.trace(first.covariance))
    else:
        parts = [float(area.covariance[0, 0]) for area in (first, second)]
        variance = sum(parts)
        lost = sum(v**2 / (a.cases - 1) for v, a in zip(parts, (first, second), strict=True))
        degrees = variance**2 / lost if lost > 0 else math.inf
    if not variance > 0:
        same = math.nan if difference else 1.0
        return AreaTest(difference, (math.nan, math.nan), math.nan, same)
    error = math.sqrt(variance)
    reach = float(t.ppf((1 + level) / 2, degrees)) * error
    z = difference / error
    bounds = (difference - reach, difference + reach)
    return AreaTest(difference, bounds, z, float(2 * t.sf(abs(z), degrees)), degrees)
