"""What happens to cases of each probability: a smooth curve, and one of bins."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.nonparametric.smoothers_lowess import lowess

from mammography.functional.binary_cases import Bools, Floats, binary_forecasts, patients_of
from mammography.functional.proportions import clustered_proportion, proportion_intervals

# With more cases the curve is fitted at points a two-hundredth of its range apart.
_MOST_FITTED_EACH = 1000


@dataclass(frozen=True, eq=False)
class SmoothCalibration:
    """A smooth calibration curve, and how far it is from the diagonal.

    Attributes:
        predicted: Probabilities from low to high, ``(N,)``.
        observed: Share of class 1 among cases of about that probability, ``(N,)``.
        ici: Integrated calibration index: the mean distance over the cases.
        e50: The median distance.
        e90: The distance that nine cases in ten do not exceed.
        emax: The largest distance.
    """

    predicted: Floats
    observed: Floats
    ici: float
    e50: float
    e90: float
    emax: float


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Calibration by bins of probability; bins without a case are left out.

    Attributes:
        predicted: Mean probability, ``(B,)``.
        observed: Share of class 1, ``(B,)``.
        intervals: Of the share, ``(B, 2)``.
        counts: Cases, ``(B,)``.
    """

    predicted: Floats
    observed: Floats
    intervals: Floats
    counts: NDArray[np.intp]


def smooth_calibration(
    labels: ArrayLike, probabilities: ArrayLike, fraction: float = 0.75
) -> SmoothCalibration:
    """Smooth the outcome over the probabilities by local lines (lowess without robust steps).

    Shapes:
        - labels, probabilities: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        probabilities: Of class 1.
        fraction: Share of cases that each point of the curve rests on.

    Raises:
        ValueError: If a label or probability is none, or there are fewer than three cases.

    References:
        Austin and Steyerberg, Statistics in Medicine 2019;38:4051 (whose R code fits
        local parabolas); lowess: Cleveland, Journal of the American Statistical Association
        1979;74:829.

    Example:
        >>> chances = np.linspace(0.1, 0.9, 9)
        >>> found = smooth_calibration([0, 0, 0, 1, 0, 1, 1, 1, 1], chances)
        >>> round(found.ici, 3), round(found.emax, 3)
        (0.132, 0.201)
    """
    positive, chance = binary_forecasts("smooth_calibration", labels, probabilities)
    if positive.size < 3:
        raise ValueError(f"smooth_calibration: cases must be at least 3, got {positive.size}")
    order = np.argsort(chance, kind="stable")
    predicted, truth = chance[order], positive[order].astype(np.float64)
    observed = _local_lines(predicted, truth, fraction)
    distance = np.abs(observed - predicted)
    middle, high = np.quantile(distance, [0.5, 0.9])
    return SmoothCalibration(
        predicted,
        observed,
        float(distance.mean()),
        float(middle),
        float(high),
        float(distance.max()),
    )


def _local_lines(predicted: Floats, truth: Floats, fraction: float) -> Floats:
    """Smooth cases in the order of their probabilities."""
    _, tie, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    if len(counts) == 1:
        return np.full(truth.shape, truth.mean())
    apart = 0.005 * float(np.ptp(predicted)) if truth.size > _MOST_FITTED_EACH else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        smooth = lowess(truth, predicted, fraction, 0, apart, is_sorted=True, return_sorted=False)
    # Where all cases that a point rests on share one probability, a line has no slope.
    flat = (counts >= int(fraction * truth.size))[tie] | ~np.isfinite(smooth)
    means = np.bincount(tie, weights=truth) / counts
    return np.where(flat, means[tie], smooth)


def reliability_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    bins: int = 10,
    strategy: Literal["quantile", "uniform"] = "quantile",
    patients: ArrayLike | None = None,
    level: float = 0.95,
) -> ReliabilityCurve:
    """Return how often class 1 is found in each bin of probabilities.

    Shapes:
        - labels, probabilities, patients: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        probabilities: Of class 1.
        bins: Number of bins, at least 1.
        strategy: Bins of as many cases (``quantile``) or of equal width (``uniform``).
        patients: Whom each case belongs to, where some have several; the intervals hold between
            patients then (:func:`~mammography.functional.proportions.clustered_proportion`),
            and are Wilson's else.
        level: Coverage of the intervals.

    Raises:
        ValueError: If a label or probability is none, or there is no bin.

    Example:
        >>> curve = reliability_curve([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2)
        >>> curve.predicted.round(2).tolist(), curve.observed.tolist(), curve.counts.tolist()
        ([0.2, 0.7], [0.0, 1.0], [2, 2])
    """
    positive, chance = binary_forecasts("reliability_curve", labels, probabilities)
    if bins < 1 or strategy not in ("quantile", "uniform"):
        raise ValueError(
            "reliability_curve: bins must be at least 1 and strategy 'quantile' or 'uniform', "
            f"got {bins} and {strategy!r}"
        )
    edges = np.linspace(0, 1, bins + 1)
    if strategy == "quantile":
        edges = np.quantile(chance, edges)
    which = np.searchsorted(edges[1:-1], chance)
    counts = np.bincount(which, minlength=bins)
    some = np.flatnonzero(counts)
    found = np.bincount(which, weights=positive, minlength=bins)[some]
    mean = np.bincount(which, weights=chance, minlength=bins)[some] / counts[some]
    if patients is None:
        intervals = proportion_intervals(found, counts[some], level)
    else:
        member = patients_of("reliability_curve", patients, positive.size)
        parts = [_between_patients(positive, member, which == each, level) for each in some]
        intervals = np.array(parts)
    return ReliabilityCurve(mean, found / counts[some], intervals, counts[some])


def _between_patients(
    positive: Bools, member: NDArray[np.intp], inside: Bools, level: float
) -> tuple[float, float]:
    trials = np.bincount(member[inside])
    found = np.bincount(member[inside], weights=positive[inside])
    if (trials > 0).sum() < 2:
        return np.nan, np.nan
    return clustered_proportion(found, trials, level).interval
