"""How a mean over cases varies where patients have several."""

import math

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import Floats


def variance_of_mean(sums: ArrayLike, cases: float) -> float:
    """Return the variance of a mean over cases, with patients as the units.

    With one case a patient it is that of a mean of independent cases.

    Shapes:
        - sums: ``(P,)``, of each patient's cases: their distances from the mean, added up.

    Args:
        sums: Of the patients who have a case.
        cases: How many cases they have together.

    Returns:
        NaN of a single patient, who tells nothing of others.

    References:
        Rao and Scott, Biometrics 1992;48:577, equation 2 (a ratio of sums over clusters).

    Example:
        >>> round(variance_of_mean([-1.0, 0.0, 1.0], cases=3), 4)  # 1 / 3
        0.3333
    """
    apart: Floats = np.asarray(sums, dtype=np.float64)
    if apart.size < 2:
        return math.nan
    return float(apart.size / (apart.size - 1) * (apart**2).sum() / cases**2)
