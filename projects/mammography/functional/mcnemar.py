"""Whether two readers or models call the same cases positive equally often."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import binomtest, chi2

from mammography.functional.between_patients import variance_of_mean
from mammography.functional.binary_cases import Floats, patients_of
from mammography.functional.estimate import Estimate, Interval


@dataclass(frozen=True)
class McNemarTest:
    """A paired comparison of two shares.

    Attributes:
        only_first: Cases that the first calls positive and the second does not.
        only_second: The other way round.
        difference: Share of the first minus share of the second.
        p_exact: Two-sided, by the binomial distribution, for independent cases.
        p_corrected: Likewise, by chi squared with a correction for continuity.
        p_patients: Two-sided, for patients with several cases; NaN where none has.
    """

    only_first: int
    only_second: int
    difference: Estimate
    p_exact: float
    p_corrected: float
    p_patients: float = math.nan


def mcnemar(
    first: ArrayLike, second: ArrayLike, patients: ArrayLike | None = None, level: float = 0.95
) -> McNemarTest:
    """Compare two shares of the same cases.

    Of the diseased this compares sensitivities, of the healthy specificities; of all cases,
    where first and second say who was right, accuracies. With patients the interval is that of as
    many independent cases as would vary as much.

    Shapes:
        - first, second: ``(N,)``, true or false, or 1 and 0; patients: ``(N,)``.

    Args:
        first: Calls of the first.
        second: Calls of the second.
        patients: Whom each case belongs to, where one has several; else each is independent.
        level: Coverage of the interval.

    Raises:
        ValueError: If they are not as many, none, or not true or false.

    References:
        McNemar, Psychometrika 1947;12:153; corrected: Edwards, Psychometrika 1948;13:185;
        interval of the difference: Tango, Statistics in Medicine 1998;17:891; between patients:
        the test Obuchowski, Statistics in Medicine 1998;17:1495, the interval with the effective
        number of cases of Rao and Scott, Biometrics 1992;48:577.

    Example:
        >>> found = mcnemar([1, 1, 1, 1, 0, 0], [1, 0, 0, 0, 0, 1])
        >>> found.only_first, found.only_second, found.p_exact
        (3, 1, 0.625)
    """
    one, two = (np.asarray(calls, dtype=np.float64) for calls in (first, second))
    if one.ndim != 1 or one.shape != two.shape or not one.size:
        raise ValueError(f"mcnemar: calls must be as many, got {one.shape} and {two.shape}")
    if not np.isin([one, two], (0, 1)).all():
        raise ValueError("mcnemar: calls must be true or false, got other values")
    only_first, only_second = int((one > two).sum()), int((two > one).sum())
    differ = only_first + only_second
    p_exact = p_corrected = 1.0
    if differ:
        p_exact = float(binomtest(only_first, differ).pvalue)
        corrected = max(abs(only_first - only_second) - 1, 0) ** 2 / differ
        p_corrected = float(chi2.sf(corrected, 1))
    effect, p_patients = 1.0, math.nan
    if patients is not None:
        member = patients_of("mcnemar", patients, one.size)
        if int(member.max()) + 1 < one.size:
            effect, p_patients = _between_patients(one - two, member)
    first_alone, second_alone, cases = (
        count / effect for count in (only_first, only_second, one.size)
    )
    return McNemarTest(
        only_first,
        only_second,
        Estimate(
            (only_first - only_second) / one.size,
            paired_interval(first_alone, second_alone, cases, level),
        ),
        p_exact,
        p_corrected,
        p_patients,
    )


def paired_interval(
    only_first: float, only_second: float, cases: float, level: float = 0.95
) -> Interval:
    """Return Tango's score interval of the difference of two shares of the same cases.

    It ends where the score test that is McNemar's at no difference ceases to reject, and so knows
    how few cases differ.

    Args:
        only_first: Cases with the first alone; need not be whole.
        only_second: Cases with the second alone.
        cases: All.
        level: Coverage, between 0 and 1.

    References:
        Tango, Statistics in Medicine 1998;17:891, equation 10.

    Example:
        >>> [round(end, 3) for end in paired_interval(1, 7, 21)]
        [-0.517, -0.026]
    """
    found, z = (only_first - only_second) / cases, float(ndtri((1 + level) / 2))

    def score(difference: float) -> float:
        linear = (2 * cases - only_first + only_second) * difference - only_first - only_second
        root = linear**2 + 8 * cases * only_second * difference * (1 - difference)
        second = (math.sqrt(max(root, 0.0)) - linear) / (4 * cases)
        variance = cases * (2 * second + difference * (1 - difference))
        return (only_first - only_second - cases * difference) / math.sqrt(max(variance, 1e-300))

    low = brentq(lambda d: score(d) - z, -1.0, found) if found > -1 else -1.0
    high = brentq(lambda d: score(d) + z, found, 1.0) if found < 1 else 1.0
    return float(low), float(high)


def _between_patients(excess: Floats, member: NDArray[np.intp]) -> tuple[float, float]:
    """Return how many times the variance is that of independent cases, and the p-value."""
    count, cases = int(member.max()) + 1, excess.size
    more, apart = np.bincount(member, weights=excess), excess - excess.mean()
    p_value = 1.0
    if (unequal := variance_of_mean(more, cases)) > 0:
        p_value = float(chi2.sf(excess.mean() ** 2 / unequal, 1))
    between = variance_of_mean(np.bincount(member, weights=apart), cases)
    # A variance of nothing tells nothing of how alike cases are: each patient counts for one.
    effect = between / variance_of_mean(apart, cases) if between > 0 else cases / count
    return effect, p_value
