"""How many patients a study of ROC-AUCs needs."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from mammography.functional.delong import RocAreas
from mammography.functional.planned_areas import Kind, planned_variance

NullVariance = Literal["as_found", "as_first"]


@dataclass(frozen=True)
class SampleSize:
    """Independent cases that a study needs; round up.

    Several images per patient are not as many cases. Multiply by how many times the variance
    clustered by patient exceeds that of independent cases in a pilot study.
    """

    positives: float
    negatives: float


def area_power(
    area: float,
    positives: float,
    negatives: float,
    alpha: float = 0.05,
    null: float = 0.5,
    sides: int = 2,
    kind: Kind = "continuous",
) -> float:
    """Return the chance that a study shows an area to differ from another value.

    Args:
        area: That is hoped for.
        positives: Cases of class 1.
        negatives: Cases of class 0.
        alpha: Level of the test.
        null: Area that is to be refuted.
        sides: 2, or 1 for a test of whether the area is higher.
        kind: Of scores, as for :func:`~mammography.functional.planned_areas.planned_variance`.

    Raises:
        ValueError: As :func:`~mammography.functional.planned_areas.planned_variance`.

    References:
        Obuchowski, Lieber and Wians, Clinical Chemistry 2004;50:1118, equation 2, solved for
        the power.

    Example:
        >>> round(area_power(0.73, 41, 72), 4)
        0.993
    """
    at_null, at_area = (planned_variance(a, positives, negatives, kind) for a in (null, area))
    return _power(abs(area - null), at_null, at_area, alpha, sides)


def area_sample_size(
    area: float,
    power: float = 0.9,
    ratio: float = 1.0,
    alpha: float = 0.05,
    null: float = 0.5,
    sides: int = 2,
    kind: Kind = "continuous",
) -> SampleSize:
    """Return the cases that show an area to differ from another value with a given chance.

    Args:
        area: That is hoped for.
        power: The chance, between 0 and 1.
        ratio: Negative cases per positive one.
        alpha: Level of the test.
        null: Area that is to be refuted.
        sides: 2, or 1 for a test of whether the area is higher.
        kind: Of scores, as for :func:`~mammography.functional.planned_areas.planned_variance`.

    Raises:
        ValueError: As :func:`~mammography.functional.planned_areas.planned_variance`, or if
            the areas are the same.

    References:
        Obuchowski, Lieber and Wians, Clinical Chemistry 2004;50:1118, equation 2.

    Example:
        >>> area_sample_size(0.8, power=0.8)
        SampleSize(positives=12.4..., negatives=12.4...)
    """
    at_null, at_area = (planned_variance(a, 1, ratio, kind) for a in (null, area))
    positives = _cases(abs(area - null), at_null, at_area, power, alpha, sides)
    return SampleSize(positives, positives * ratio)


def difference_power(
    areas: RocAreas,
    alpha: float = 0.05,
    sides: int = 2,
    null_variance: NullVariance = "as_found",
) -> float:
    """Return the chance that a study like a pilot shows its two areas to differ.

    Args:
        areas: Of a pilot study (:func:`~mammography.functional.delong.roc_areas`, or clustered by
            patient), or planned ones
            (:func:`~mammography.functional.planned_areas.planned_areas`); the first is that of
            the model there is.
        alpha: Level of the test.
        sides: 2, or 1 for a test of whether the second is higher.
        null_variance: How the areas vary under the null hypothesis: ``as_found`` is what
            :func:`~mammography.functional.delong.compare_areas` takes; ``as_first`` has both vary
            as the first, which is what pROC plans for and asks for more cases where the
            second area is higher.

    Raises:
        ValueError: If there are not two areas.

    References:
        Obuchowski and McClish, Statistics in Medicine 1997;16:1529, equation 2.

    Example:
        >>> from mammography.functional.planned_areas import planned_areas
        >>> round(difference_power(planned_areas(0.75, 0.8, 0.5, 300, 300)), 3)
        0.76
    """
    return _power(*_difference(areas, 1.0, null_variance), alpha, sides)


def difference_sample_size(
    areas: RocAreas,
    positives: float,
    negatives: float,
    power: float = 0.9,
    alpha: float = 0.05,
    sides: int = 2,
    null_variance: NullVariance = "as_found",
) -> SampleSize:
    """Return the cases that show two areas to differ with a given chance, in the pilot's ratio.

    Args:
        areas: As for :func:`difference_power`.
        positives: Cases of class 1 that these rest on.
        negatives: Cases of class 0 that these rest on.
        power: The chance, between 0 and 1.
        alpha: Level of the test.
        sides: 2, or 1 for a test of whether the second is higher.
        null_variance: As for :func:`difference_power`.

    Raises:
        ValueError: If there are not two areas, or they are the same.

    References:
        As :func:`difference_power`.

    Example:
        >>> from mammography.functional.planned_areas import planned_areas
        >>> difference_sample_size(planned_areas(0.75, 0.8, 0.5, 300, 300), 300, 300, power=0.8)
        SampleSize(positives=331.1..., negatives=331.1...)
    """
    cases = _cases(*_difference(areas, positives, null_variance), power, alpha, sides)
    return SampleSize(cases, cases * negatives / positives)


def _difference(
    areas: RocAreas, times: float, null_variance: NullVariance
) -> tuple[float, float, float]:
    """Return the difference, and its variances under the null and the other hypothesis."""
    if len(areas.areas) != 2:
        raise ValueError(f"areas must be two, got {len(areas.areas)}")
    if null_variance not in ("as_found", "as_first"):
        raise ValueError(f"null_variance must be 'as_found' or 'as_first', got {null_variance!r}")
    covariance = times * areas.covariance
    shared = 2 * float(covariance[0, 1])
    found = float(np.trace(covariance)) - shared
    null = found if null_variance == "as_found" else 2 * float(covariance[0, 0]) - shared
    return abs(float(areas.areas[0] - areas.areas[1])), null, found


def _power(difference: float, null: float, other: float, alpha: float, sides: int) -> float:
    reach = _quantile(alpha, sides) * math.sqrt(null)
    return float(ndtr((difference - reach) / math.sqrt(other)))


def _cases(
    difference: float, null: float, other: float, power: float, alpha: float, sides: int
) -> float:
    if not difference or not 0 < power < 1:
        raise ValueError(
            "sample size: areas must differ and power lie between 0 and 1, "
            f"got a difference of {difference} and a power of {power}"
        )
    reach = _quantile(alpha, sides) * math.sqrt(null) + float(ndtri(power)) * math.sqrt(other)
    return (reach / difference) ** 2


def _quantile(alpha: float, sides: int) -> float:
    if sides not in (1, 2) or not 0 < alpha < 1:
        raise ValueError(f"sides must be 1 or 2 and alpha between 0 and 1, got {sides}, {alpha}")
    return float(ndtri(1 - alpha / sides))
