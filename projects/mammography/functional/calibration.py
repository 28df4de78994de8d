"""Whether probabilities are too extreme, or too high: slope, intercept and offset."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri
from scipy.stats import norm

from mammography.functional.binary_cases import Bools, Floats, binary_forecasts, patients_of
from mammography.functional.estimate import Estimate

# Probabilities come from float32, where a sigmoid is exactly 0 or 1 beyond a logit of 17.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)
_MOST_STEPS = 100
_NOTHING = Estimate(math.nan)


@dataclass(frozen=True)
class CalibrationLine:
    """How the log odds of what happens depend on the log odds of what was foreseen.

    Attributes:
        slope: 1 is right; below 1 probabilities are too extreme, as of an overfitted model.
        intercept: Fitted together with the slope; 0 is right where the slope is 1.
        offset: Fitted with a slope of 1, calibration-in-the-large: below 0 probabilities are too
            high on the whole.
    """

    slope: Estimate
    intercept: Estimate
    offset: Estimate


@dataclass(frozen=True)
class SpiegelhalterTest:
    """Whether the Brier score is what it would be, were the probabilities right.

    Attributes:
        z: Normal with variance 1 if they are.
        p_value: Two-sided.
    """

    z: float
    p_value: float


def calibration_line(
    labels: ArrayLike,
    probabilities: ArrayLike,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> CalibrationLine:
    """Fit the log odds of the outcome by those of the probabilities.

    Probabilities are cut at 1.2e-7 and one minus that, beyond which float32 knows none.

    Shapes:
        - labels, probabilities, patients: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        probabilities: Of class 1.
        patients: Whom each case belongs to, where some have several: the intervals hold between
            patients then.
        level: Coverage of the intervals.

    Returns:
        The line; NaN where the labels do not define it: one class only, or all cases of one class
        above all of the other (slope and intercept).

    Raises:
        ValueError: If a label or probability is none.

    References:
        Cox, Biometrika 1958;45:562; Van Calster et al., Journal of Clinical Epidemiology
        2016;74:167; between patients: Liang and Zeger, Biometrika 1986;73:13.

    Example:
        >>> labels = [0, 0, 0, 1, 0, 1, 1, 1]
        >>> chances = [0.01, 0.1, 0.2, 0.2, 0.8, 0.8, 0.9, 0.99]
        >>> round(calibration_line(labels, chances).slope.value, 3)
        0.675
    """
    positive, chance = binary_forecasts("calibration_line", labels, probabilities)
    x = logit(chance.clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    member = None
    if patients is not None:
        member = patients_of("calibration_line", patients, positive.size)
    if positive.all() or not positive.any():
        return CalibrationLine(_NOTHING, _NOTHING, _NOTHING)
    ones = np.ones_like(x)
    (offset,) = _fit(ones[None], x, positive, member, level)
    apart = x[positive].min() >= x[~positive].max() or x[positive].max() <= x[~positive].min()
    if apart or np.ptp(x) == 0:
        return CalibrationLine(_NOTHING, _NOTHING, offset)
    intercept, slope = _fit(np.stack([ones, x]), np.zeros_like(x), positive, member, level)
    return CalibrationLine(slope, intercept, offset)


def _fit(
    columns: Floats, given: Floats, positive: Bools, member: NDArray[np.intp] | None, level: float
) -> list[Estimate]:
    """Fit a logistic regression by Newton's method; ``given`` is added to its log odds."""
    values = np.zeros(len(columns))
    for _ in range(_MOST_STEPS):
        chance = expit(values @ columns + given)
        excess = columns * (positive - chance)
        information = (columns * (chance * (1 - chance))) @ columns.T
        step = np.linalg.solve(information, excess.sum(axis=1))
        # A longer step than this overshoots from a start far away, and grows from turn to turn.
        values += step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-300))
        if np.abs(step).max() < 1e-10 * max(1.0, float(np.abs(values).max())):
            break
    covariance = np.linalg.inv(information)
    if member is not None:
        sums = np.stack([np.bincount(member, weights=row) for row in excess])
        count = sums.shape[1]
        covariance = count / (count - 1) * covariance @ (sums @ sums.T) @ covariance
    reach = float(ndtri((1 + level) / 2)) * np.sqrt(np.diag(covariance))
    bounds = zip(values, values - reach, values + reach, strict=True)
    return [Estimate(float(v), (float(low), float(high))) for v, low, high in bounds]


def spiegelhalter(labels: ArrayLike, probabilities: ArrayLike) -> SpiegelhalterTest:
    """Test whether probabilities of independent cases are right.

    A small p-value says that they are not; a large one of few cases says nothing. NaN where
    all are 0, 0.5 or 1 and nothing can deviate.

    Shapes:
        - labels, probabilities: ``(N,)``; labels are 0 or 1.

    Raises:
        ValueError: If a label or probability is none.

    References:
        Spiegelhalter, Statistics in Medicine 1986;5:421.

    Example:
        >>> round(spiegelhalter([0, 0, 1, 1, 0], [0.1, 0.3, 0.7, 0.9, 0.2]).z, 3)
        -1.061
    """
    positive, chance = binary_forecasts("spiegelhalter", labels, probabilities)
    deviation = float(((positive - chance) * (1 - 2 * chance)).sum())
    variance = float(((1 - 2 * chance) ** 2 * chance * (1 - chance)).sum())
    if not variance > 0:
        return SpiegelhalterTest(math.nan, math.nan)
    z = deviation / math.sqrt(variance)
    return SpiegelhalterTest(z, float(2 * norm.sf(abs(z))))
