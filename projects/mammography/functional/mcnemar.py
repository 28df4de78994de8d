"""Whether two readers or models call the same cases positive equally often."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import binomtest, chi2

from mammography.functional.estimate import Estimate


@dataclass(frozen=True)
class McNemarTest:
    """A paired comparison of two shares.

    Attributes:
        only_first: Cases that the first calls positive and the second does not.
        only_second: The other way round.
        difference: Share of the first minus share of the second.
        p_exact: Two-sided, by the binomial distribution.
        p_corrected: Two-sided, by chi squared with a correction for continuity.
    """

    only_first: int
    only_second: int
    difference: Estimate
    p_exact: float
    p_corrected: float


def mcnemar(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> McNemarTest:
    """Compare two shares of the same independent cases.

    Of the diseased this compares sensitivities, of the healthy specificities; of all cases,
    where first and second say who was right, accuracies.

    Shapes:
        - first, second: ``(N,)``, true or false, or 1 and 0.

    Raises:
        ValueError: If they are not as many, none, or not true or false.

    References:
        McNemar, Psychometrika 1947;12:153; corrected: Edwards, Psychometrika 1948;13:185;
        interval of the difference: Bonett and Price, Journal of Educational and Behavioral
        Statistics 2012;37:479.

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
    difference = (only_first - only_second) / one.size
    return McNemarTest(
        only_first,
        only_second,
        Estimate(difference, _interval(only_first, only_second, one.size, level)),
        p_exact,
        p_corrected,
    )


def _interval(only_first: int, only_second: int, cases: int, level: float) -> tuple[float, float]:
    # One more case of either kind keeps the interval honest where few cases differ.
    first, second = ((count + 1) / (cases + 2) for count in (only_first, only_second))
    reach = float(ndtri((1 + level) / 2)) * math.sqrt(
        (first + second - (first - second) ** 2) / (cases + 2)
    )
    return max(first - second - reach, -1.0), min(first - second + reach, 1.0)
