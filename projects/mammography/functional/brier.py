"""The Brier score, and what of it is calibration and what is knowledge."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from mammography.functional.between_patients import variance_of_mean
from mammography.functional.binary_cases import Bools, Floats, binary_forecasts, patients_of
from mammography.functional.estimate import NO_INTERVAL, Estimate, Interval


@dataclass(frozen=True)
class Brier:
    """A mean squared error of probabilities: reliability - resolution + uncertainty + within.

    Attributes:
        score: Less is better.
        reliability: What bad calibration adds; 0 is right.
        resolution: What telling cases apart takes away.
        uncertainty: The score of always foreseeing the prevalence.
        within: What is left inside bins; 0 where a bin is a single probability.
        scaled: One minus the score's share of the uncertainty: 1 is perfect, 0 of no use; NaN
            of one class.
    """

    score: Estimate
    reliability: float
    resolution: float
    uncertainty: float
    within: float
    scaled: float


def brier_score(
    labels: ArrayLike,
    probabilities: ArrayLike,
    bins: int | None = None,
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> Brier:
    """Return the Brier score of class 1 with its interval, and its decomposition.

    Shapes:
        - labels, probabilities, patients: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        probabilities: Of class 1.
        bins: Bins of equal width for the decomposition; by default each probability that occurs
            is a bin of its own, which for probabilities that hardly repeat says that all of
            the score is reliability.
        patients: Whom each case belongs to, where some have several: the interval holds between
            patients then.
        level: Coverage of the interval.

    Raises:
        ValueError: If a label or probability is none, or there is no bin.

    References:
        Brier, Monthly Weather Review 1950;78:1; Murphy, Journal of Applied Meteorology
        1973;12:595; within bins: Stephenson, Coelho and Jolliffe, Weather and
        Forecasting 2008;23:752.

    Example:
        >>> found = brier_score([0, 1, 1, 1], [0.2, 0.2, 0.8, 0.8])
        >>> parts = (found.reliability, found.resolution, found.uncertainty, found.within)
        >>> round(found.score.value, 3), [round(part, 4) for part in parts]
        (0.19, [0.065, 0.0625, 0.1875, 0.0])
    """
    positive, chance = binary_forecasts("brier_score", labels, probabilities)
    if bins is not None and bins < 1:
        raise ValueError(f"brier_score: bins must be at least 1, got {bins}")
    if bins is None:
        which = np.unique(chance, return_inverse=True)[1]
    else:
        which = np.digitize(chance, np.linspace(0, 1, bins + 1)[1:-1])
    errors = (positive - chance) ** 2
    score, uncertainty = float(errors.mean()), float(positive.mean() * (1 - positive.mean()))
    reliability, resolution = _parts(positive, chance, which)
    member = None if patients is None else patients_of("brier_score", patients, errors.size)
    return Brier(
        Estimate(score, _interval(errors, member, level)),
        reliability,
        resolution,
        uncertainty,
        score - (reliability - resolution + uncertainty),
        1 - score / uncertainty if uncertainty else math.nan,
    )


def _parts(positive: Bools, chance: Floats, which: NDArray[np.intp]) -> tuple[float, float]:
    """Return reliability and resolution."""
    counts = np.bincount(which)
    some = counts > 0
    counts = counts[some]
    share = np.bincount(which, weights=positive)[some] / counts
    mean = np.bincount(which, weights=chance)[some] / counts
    weights = counts / positive.size
    gaps, gains = (share - mean) ** 2, (share - positive.mean()) ** 2
    return float((weights * gaps).sum()), float((weights * gains).sum())


def _interval(errors: Floats, member: NDArray[np.intp] | None, level: float) -> Interval:
    """Return the normal interval of a mean between cases, or between patients."""
    excess = errors - errors.mean()
    sums = excess if member is None else np.bincount(member, weights=excess)
    if len(sums) < 2:
        return NO_INTERVAL
    reach = float(ndtri((1 + level) / 2)) * math.sqrt(variance_of_mean(sums, errors.size))
    return max(float(errors.mean()) - reach, 0.0), min(float(errors.mean()) + reach, 1.0)
