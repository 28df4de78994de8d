"""The part of the area under the ROC curve where a screening programme can work."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import Floats, binary_cases
from mammography.functional.curve_areas import Ranking
from mammography.functional.resamples import Resamples
from mammography.functional.resampling import patient_strata, resample_patients

Along = Literal["specificity", "sensitivity"]


@dataclass(frozen=True)
class PartialArea:
    """An area under a part of the ROC curve.

    Attributes:
        area: Between 0 and the width of the range.
        standardized: The same as a number that is 0.5 for chance and 1 for a perfect score,
            whatever the range.
    """

    area: float
    standardized: float


@dataclass(frozen=True)
class RocRange:
    """A range of specificities, or of sensitivities.

    Attributes:
        low: Lower end.
        high: Upper end.
        along: What runs from low to high: the area is under the sensitivity over a range of
            specificities, or under the specificity over a range of sensitivities.

    Raises:
        ValueError: If the ends are not in order within 0 and 1.
    """

    low: float = 0.0
    high: float = 1.0
    along: Along = "specificity"

    def __post_init__(self) -> None:
        """Refuse what is no range."""
        if not 0 <= self.low < self.high <= 1:
            raise ValueError(
                f"RocRange: ends must lie in order within 0 and 1, got {self.low} and {self.high}"
            )
        if self.along not in ("specificity", "sensitivity"):
            raise ValueError(
                f"RocRange: along must be 'specificity' or 'sensitivity', got {self.along!r}"
            )

    def area(self, found: Floats, false: Floats) -> Floats:
        """Return the area of tallies (:meth:`~mammography.functional.curve_areas.Ranking.tally`).

        Shapes:
            found, false: ``(..., T)``; the result ``(...)``.
        """
        sensitivity, false_rate = (_from_zero(part / part[..., -1:]) for part in (found, false))
        if self.along == "specificity":
            return _area_between(false_rate, sensitivity, 1 - self.high, 1 - self.low)
        return _area_between(sensitivity, 1 - false_rate, self.low, self.high)

    def standardize(self, area: Floats) -> Floats:
        """Return areas where chance has 0.5 and a perfect score 1; below chance less than 0.5."""
        low, high = self.low, self.high
        chance = (high - low) - (high**2 - low**2) / 2
        return (1 + (area - chance) / (high - low - chance)) / 2


def partial_roc_area(labels: ArrayLike, scores: ArrayLike, part: RocRange) -> PartialArea:
    """Return the area under a part of the ROC curve.

    Between the points of the curve it follows straight lines, as scikit-learn and pROC do.

    Shapes:
        - labels, scores: ``(N,)``; labels are 0 or 1.

    Raises:
        ValueError: If a class has no case, or a label or score is no number it can be.

    References:
        McClish, Medical Decision Making 1989;9:190 (area and standardization); along the
        sensitivity: Jiang, Metz and Nishikawa, Radiology 1996;201:745.

    Example:
        >>> found = partial_roc_area([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], RocRange(0.5, 1))
        >>> found.area, round(found.standardized, 4)
        (0.25, 0.6667)
    """
    positive, table = binary_cases("partial_roc_area", labels, scores, fewest=1)
    area = part.area(*Ranking.of(positive, table[0]).tally(np.ones(positive.size)))
    return PartialArea(float(area), float(part.standardize(area)))


def bootstrap_partial_area(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    part: RocRange,
    *,
    repeats: int = 2000,
    seed: int = 0,
    jackknife: bool = False,
) -> Resamples:
    """Return standardized partial areas of resampled patients, as many with a positive as are.

    Shapes:
        - labels, patients: ``(N,)``; scores: ``(N,)`` or ``(K, N)``.

    Raises:
        ValueError: As :func:`partial_roc_area`.
    """
    positive, table = binary_cases("bootstrap_partial_area", labels, scores, fewest=1)
    rankings = [Ranking.of(positive, row) for row in table]

    def statistic(weights: Floats) -> Floats:
        tallies = [ranking.tally(weights) for ranking in rankings]
        with np.errstate(divide="ignore", invalid="ignore"):
            areas = np.stack([part.area(*tally) for tally in tallies], axis=1)
        return part.standardize(areas)

    strata = patient_strata(positive, patients)
    return resample_patients(
        statistic, patients, strata=strata, repeats=repeats, seed=seed, jackknife=jackknife
    )


def _from_zero(curve: Floats) -> Floats:
    return np.concatenate([np.zeros((*curve.shape[:-1], 1)), curve], axis=-1)


def _area_between(x: Floats, y: Floats, low: float, high: float) -> Floats:
    """Return the area under lines through points of rising x, from low to high."""
    steps, rises = np.diff(x), np.diff(y)
    slopes = np.divide(rises, steps, out=np.zeros_like(steps), where=steps > 0)
    left, right = (np.clip(ends, low, high) for ends in (x[..., :-1], x[..., 1:]))
    middle = y[..., :-1] + slopes * ((left + right) / 2 - x[..., :-1])
    return np.asarray(((right - left) * middle).sum(axis=-1))
