"""How sure an average precision is, without resampling."""

import math
from typing import Literal

from scipy.special import expit, logit, ndtri

from mammography.functional.estimate import NO_INTERVAL, Interval


def average_precision_interval(
    area: float,
    positives: int,
    level: float = 0.95,
    scale: Literal["plain", "logit"] = "logit",
) -> Interval:
    """Return the interval of an average precision from the number of positive cases alone.

    It takes the area for a share of the positive cases. That knows nothing of the negative cases
    nor of patients with several images: a rule of thumb for a first look and for planning.
    :func:`~mammography.functional.area_estimates.estimate_areas` gives what to report.

    Args:
        area: The average precision.
        positives: Number of positive cases.
        level: Coverage, between 0 and 1.
        scale: ``logit`` reckons with the log odds of the area and stays inside 0 and 1; ``plain``
            is the binomial interval, cut at 0 and 1.

    Returns:
        Both ends; NaN where the area is 0 or 1, or NaN.

    Raises:
        ValueError: If the area is no area, or there is no positive case.

    References:
        Boyd, Eng and Page, Area under the precision-recall curve: point estimates and confidence
        intervals, ECML PKDD 2013 (binomial and logit intervals).

    Example:
        >>> [round(end, 3) for end in average_precision_interval(0.6, 100)]
        [0.501, 0.691]
    """
    if positives < 1 or area < 0 or area > 1:
        raise ValueError(
            "average_precision_interval: area must lie between 0 and 1 and positives be at least "
            f"1, got {area} and {positives}"
        )
    if not 0 < area < 1:
        return NO_INTERVAL
    z = float(ndtri((1 + level) / 2))
    if scale == "plain":
        reach = z * math.sqrt(area * (1 - area) / positives)
        return max(area - reach, 0.0), min(area + reach, 1.0)
    reach = z / math.sqrt(positives * area * (1 - area))
    return float(expit(logit(area) - reach)), float(expit(logit(area) + reach))
