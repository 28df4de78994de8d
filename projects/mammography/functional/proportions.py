"""Shares of cases, such as a sensitivity, with intervals that hold for few cases too."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtri

from mammography.functional.between_patients import variance_of_mean
from mammography.functional.binary_cases import Floats
from mammography.functional.estimate import Estimate

Method = Literal["wilson", "clopper_pearson"]


def proportion_intervals(
    successes: ArrayLike, trials: ArrayLike, level: float = 0.95, method: Method = "wilson"
) -> Floats:
    """Return intervals of shares of independent cases.

    Shapes:
        - successes, trials: alike; the result has one more axis, of both ends.

    Args:
        successes: How many of the trials succeeded; need not be whole.
        trials: How many there were.
        level: Coverage, between 0 and 1.
        method: ``wilson`` has that coverage on average, ``clopper_pearson`` at least, by being
            wider.

    Returns:
        Both ends; NaN where there is no trial.

    Raises:
        ValueError: If successes are not between 0 and the trials.

    References:
        Wilson, Journal of the American Statistical Association 1927;22:209; Clopper and Pearson,
        Biometrika 1934;26:404; which of them: Brown, Cai and DasGupta, Statistical Science
        2001;16:101.

    Example:
        >>> proportion_intervals([9, 10], 10).round(3).tolist()
        [[0.596, 0.982], [0.722, 1.0]]
    """
    found, of = np.broadcast_arrays(
        np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    )
    wrong = ~((found >= 0) & (found <= of) & np.isfinite(of))
    if wrong.any():
        raise ValueError(
            "proportion_intervals: successes must lie between 0 and trials, "
            f"got {found[wrong][0]:g} of {of[wrong][0]:g}"
        )
    if method == "wilson":
        low, high = _wilson(found, of, float(ndtri((1 + level) / 2)))
    elif method == "clopper_pearson":
        low, high = _clopper_pearson(found, of, (1 - level) / 2)
    else:
        raise ValueError(
            f"proportion_intervals: method must be 'wilson' or 'clopper_pearson', got {method!r}"
        )
    ends = np.stack([np.where(found == 0, 0, low), np.where(found == of, 1, high)], axis=-1)
    return np.where(of[..., None] > 0, ends, np.nan)


def _wilson(found: Floats, of: Floats, z: float) -> tuple[Floats, Floats]:
    missed = np.divide(found * (of - found), of, out=np.zeros_like(of), where=of > 0)
    centre = found + z**2 / 2
    reach = z * np.sqrt(missed + z**2 / 4)
    return (centre - reach) / (of + z**2), (centre + reach) / (of + z**2)


def _clopper_pearson(found: Floats, of: Floats, tail: float) -> tuple[Floats, Floats]:
    missed = of - found
    low = betaincinv(np.maximum(found, 1e-9), missed + 1, tail)
    high = betaincinv(found + 1, np.maximum(missed, 1e-9), 1 - tail)
    return low, high


def proportion(
    successes: float, trials: float, level: float = 0.95, method: Method = "wilson"
) -> Estimate:
    """Return a share of independent cases with its interval; see :func:`proportion_intervals`.

    Example:
        >>> proportion(45, 50)
        Estimate(value=0.9, interval=(0.786..., 0.956...))
    """
    low, high = proportion_intervals(successes, trials, level, method)
    return Estimate(successes / trials if trials else float("nan"), (float(low), float(high)))


def clustered_proportion(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Estimate:
    """Return a share of images or breasts whose patients have several, with its interval.

    Wilson's interval of as many independent cases as would vary as much; with one case a patient
    it is Wilson's. Where all succeed or all fail nothing is known of how alike cases are; each
    patient counts for one then.

    Shapes:
        - successes, trials: ``(P,)``, of each patient.

    Raises:
        ValueError: If fewer than two patients have a trial, or successes are not between 0 and
            the trials.

    References:
        Rao and Scott, Biometrics 1992;48:577.

    Example:
        >>> clustered_proportion([4, 0, 4, 4], [4, 4, 4, 4])
        Estimate(value=0.75, interval=(0.26..., 0.96...))
    """
    found, of = (np.asarray(values, dtype=np.float64) for values in (successes, trials))
    proportion_intervals(found, of, level)  # Refuses what no patient can have.
    some = of > 0
    count, total = int(some.sum()), float(of.sum())
    if found.shape != of.shape or count < 2:
        raise ValueError(
            f"clustered_proportion: at least 2 patients must have a trial, got {count}"
        )
    share = float(found.sum()) / total
    between = variance_of_mean((found - share * of)[some], total)
    # A variance of nothing: all succeeded or failed, or every patient has the same share.
    within = total / (total - 1) * share * (1 - share)
    independent = within / between if between > 0 else count
    low, high = proportion_intervals(share * independent, independent, level)
    return Estimate(share, (float(low), float(high)))
