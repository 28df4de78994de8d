"""Numbers of resampled studies, and the intervals they give."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.special import ndtr, ndtri

from mammography.functional.binary_cases import Floats
from mammography.functional.estimate import Estimate


@dataclass(frozen=True, eq=False)
class Resamples:
    """Numbers of a study, and the same numbers of resampled studies.

    Attributes:
        estimate: Of the study itself, ``(K,)``.
        draws: Of the resamples, ``(R, K)``.
        redrawn: How many resamples were drawn again, as they did not define a number.
        influence: What leaving out a patient (or a group of them) changes, ``(G, K)``; no rows
            where it was not asked for.
    """

    estimate: Floats
    draws: Floats
    redrawn: int = 0
    influence: Floats = field(default_factory=lambda: np.empty((0, 0)))

    def percentile(self, level: float = 0.95) -> Floats:
        """Return intervals that hold a share of ``level`` of the draws, ``(K, 2)``.

        References:
            Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
        """
        return np.quantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0).T

    def bca(self, level: float = 0.95) -> Floats:
        """Return bias-corrected and accelerated intervals, ``(K, 2)``.

        NaN where all draws lie on one side of the estimate, which leaves the bias unknown.

        Raises:
            ValueError: If no patients were left out; ask for ``jackknife=True``.

        References:
            Efron, Journal of the American Statistical Association 1987;82:171.
        """
        if not self.influence.size:
            raise ValueError("bca: resamples must have influences, got none: pass jackknife=True")
        cubes, squares = (self.influence**3).sum(axis=0), (self.influence**2).sum(axis=0)
        steepness = np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=squares > 0)
        # Draws that equal the estimate count half, as in scipy.
        below = (self.draws < self.estimate).mean(axis=0)
        share = (below + (self.draws <= self.estimate).mean(axis=0)) / 2
        bias = ndtri(share)
        z = bias + np.outer(ndtri([(1 - level) / 2, (1 + level) / 2]), np.ones_like(bias))
        with np.errstate(invalid="ignore"):
            points = ndtr(bias + z / (1 - steepness * z))
        columns = zip(self.draws.T, points.T, strict=True)
        return np.stack([_quantiles(draws, point) for draws, point in columns])

    def contrast(self, first: int, second: int) -> "Resamples":
        """Return the paired difference of two of the numbers, first minus second."""
        return Resamples(
            self.estimate[[first]] - self.estimate[[second]],
            self.draws[:, [first]] - self.draws[:, [second]],
            self.redrawn,
            self.influence[:, [first]] - self.influence[:, [second]]
            if self.influence.size
            else self.influence,
        )

    def estimates(
        self, level: float = 0.95, method: Literal["percentile", "bca"] = "percentile"
    ) -> list[Estimate]:
        """Return each number with its interval."""
        bounds = self.bca(level) if method == "bca" else self.percentile(level)
        return [
            Estimate(float(value), (float(low), float(high)))
            for value, (low, high) in zip(self.estimate, bounds, strict=True)
        ]


def _quantiles(draws: Floats, points: Floats) -> Floats:
    if not np.isfinite(points).all():
        return np.full(2, np.nan)
    return np.asarray(np.quantile(draws, points))
