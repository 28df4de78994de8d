"""Numbers of a study without each of its patients, and the intervals they give."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit
from scipy.stats import t

from mammography.functional.binary_cases import Floats
from mammography.functional.estimate import NO_INTERVAL, Estimate, Interval

Scale = Literal["plain", "logit", "fisher"]

_Function = Callable[[float], float]
# To the scale and back, how fast the scale moves with the number, and where the number ends.
_SCALES: Mapping[str, tuple[_Function, _Function, _Function, Interval]] = {
    "plain": (lambda x: x, lambda x: x, lambda x: 1.0, (-math.inf, math.inf)),
    "logit": (logit, expit, lambda x: 1 / (x * (1 - x)), (0.0, 1.0)),
    "fisher": (math.atanh, math.tanh, lambda x: 1 / (1 - x**2), (-1.0, 1.0)),
}
# What rounding makes of patients who change nothing, for each unit of the number.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Jackknife:
    """Numbers of a study, and the same numbers without each patient in turn.

    Attributes:
        values: Of the study itself, ``(K,)``.
        left: Without each patient, ``(P, K)``; NaN where that does not define a number.
        kinds: Of which kind each patient is, such as with and without a cancer, ``(P,)``.
        fixed: Whether the study fixed how many patients of each kind it took, so that only what
            patients of one kind differ by is left to chance; of each there must be two then.

    References:
        Tukey, Annals of Mathematical Statistics 1958;29:614; several samples: Arvesen, Annals of
        Mathematical Statistics 1969;40:2076; degrees of freedom: Satterthwaite, Biometrics Bulletin
        1946;2:110.

    Example:
        >>> ages = np.array([50.0, 52.0, 60.0, 61.0, 70.0])
        >>> without = [[np.delete(ages, index).mean()] for index in range(5)]
        >>> found = Jackknife(ages.mean(keepdims=True), np.array(without), np.zeros(5, int))
        >>> [round(end, 2) for end in found.estimates(scale="plain")[0].interval]  # Student's
        [48.68, 68.52]
    """

    values: Floats
    left: Floats
    kinds: NDArray[np.intp]
    fixed: bool = False

    def contrast(self, first: int, second: int) -> "Jackknife":
        """Return the paired difference of two of the numbers, first minus second."""
        return replace(
            self,
            values=self.values[[first]] - self.values[[second]],
            left=self.left[:, [first]] - self.left[:, [second]],
        )

    def estimates(self, level: float = 0.95, scale: Scale = "plain") -> list[Estimate]:
        """Return each number with its interval by Student's t.

        Args:
            level: Coverage of the intervals.
            scale: On which the interval is as long on both sides: of the number itself, of log
                odds (``logit``, of a share) or of Fisher's z (of a correlation or a kappa).

        Returns:
            The interval is NaN where no patient changes the number, where one is needed to
            define it, and at an end of the scale.
        """
        errors, degrees = self._spread()
        reaches = t.ppf((1 + level) / 2, degrees) * errors
        return [
            Estimate(float(value), _interval(float(value), float(reach), scale))
            for value, reach in zip(self.values, reaches, strict=True)
        ]

    def p_values(self) -> list[float]:
        """Return two-sided p-values of no difference; 1 where nothing varies and none is seen."""
        errors, degrees = self._spread()
        return [
            float(2 * t.sf(abs(value / error), df)) if error > 0 else (np.nan if value else 1.0)
            for value, error, df in zip(self.values, errors, degrees, strict=True)
        ]

    def _spread(self) -> tuple[Floats, Floats]:
        """Return standard errors and their degrees of freedom, ``(K,)`` each."""
        members = [self.kinds == kind for kind in np.unique(self.kinds)]
        if not self.fixed and min(member.sum() for member in members) < 2:
            members = [np.ones(len(self.left), bool)]  # One patient of a kind tells no spread.
        centre = self.left.mean(axis=0)
        parts, counts = [], []
        for member in members:
            rows = self.left[member]
            apart = rows - (rows.mean(axis=0) if self.fixed else centre)
            apart[np.abs(apart) < _ROUNDING * (1 + np.abs(rows))] = 0.0
            count = len(rows) if self.fixed else len(self.left)
            parts.append((count - 1) / count * (apart**2).sum(axis=0))
            counts.append(len(rows))
        variances, free = np.array(parts), np.array(counts)[:, None] - 1
        total = variances.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            lost = np.where(variances > 0, variances**2 / free, 0.0).sum(axis=0)
            return np.sqrt(total), total**2 / lost


def _interval(value: float, reach: float, scale: Scale) -> Interval:
    to, back, slope, ends = _SCALES[scale]
    if not reach > 0 or not ends[0] < value < ends[1]:
        return NO_INTERVAL
    centre, apart = to(value), reach * slope(value)
    return float(back(centre - apart)), float(back(centre + apart))
