"""A number with the interval around it."""

import math
from dataclasses import dataclass

Interval = tuple[float, float]
NO_INTERVAL: Interval = (math.nan, math.nan)


@dataclass(frozen=True)
class Estimate:
    """What was found, and between which bounds the truth may lie.

    Attributes:
        value: The number; NaN where the data do not define it.
        interval: Both bounds, at the level that was asked for; NaN where there is none.

    Example:
        >>> Estimate(0.8, (0.7, 0.9))
        Estimate(value=0.8, interval=(0.7, 0.9))
    """

    value: float
    interval: Interval = NO_INTERVAL
