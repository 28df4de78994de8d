"""Selective prediction: what is lost on the images that a model is surest of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """The risk of accepting the k surest of n images, for every k.

    Attributes:
        coverage: ``k / n``, ``(n,)``.
        risk: Mean loss of the accepted, ``(n,)``.
    """

    coverage: Floats
    risk: Floats

    def risk_at(self, coverage: float) -> float:
        """Return the risk of the fewest images that make up a share of at least ``coverage``.

        Raises:
            ValueError: If it lies outside (0, 1].
        """
        if not 0 < coverage <= 1:
            raise ValueError(f"risk_at: coverage must lie in (0, 1], got {coverage}")
        count = np.ceil(round(coverage * len(self.risk), 9))
        return float(self.risk[int(count) - 1])


def risk_coverage(losses: ArrayLike, uncertainty: ArrayLike) -> RiskCoverage:
    """Return the risk-coverage curve.

    Images of equal uncertainty are accepted in a random order: each counts with their mean
    loss, which is the mean of the curve over those orders.

    Shapes:
        losses and uncertainty ``(n,)``.

    Args:
        losses: Of each image, e.g. 1 for an error and 0 for none.
        uncertainty: The surest, smallest first.

    Raises:
        ValueError: If there is no image, or a number that is not finite.

    References:
        Geifman and El-Yaniv 2017, arXiv:1705.08500, section 2.

    Example:
        >>> curve = risk_coverage([0, 1, 0, 1], [0.1, 0.3, 0.2, 0.9])
        >>> curve.risk.round(3).tolist(), curve.risk_at(0.5)
        ([0.0, 0.0, 0.333, 0.5], 0.0)
    """
    costs, doubts = (np.asarray(x, dtype=np.float64) for x in (losses, uncertainty))
    if not costs.size or costs.shape != doubts.shape or costs.ndim != 1:
        raise ValueError(
            "risk_coverage: losses and uncertainty must be two rows of equal length, above 0, "
            f"got {costs.shape} and {doubts.shape}"
        )
    if not (np.isfinite(costs).all() and np.isfinite(doubts).all()):
        raise ValueError("risk_coverage: losses and uncertainty must be finite")
    _, level = np.unique(doubts, return_inverse=True)
    shared = (np.bincount(level, weights=costs) / np.bincount(level))[level]
    accepted = np.arange(1, costs.size + 1)
    risk = np.cumsum(shared[np.argsort(level, kind="stable")]) / accepted
    return RiskCoverage(accepted / costs.size, risk)


def area_under_risk_coverage(curve: RiskCoverage) -> float:
    """Return the AURC as the mean of the risk over all n coverages.

    The trapezoid over ``k / n``, divided by ``1 - 1 / n``, is another convention, which
    torch-uncertainty has.

    References:
        Geifman, Uziel and El-Yaniv 2019, arXiv:1805.08206, section 2.
    """
    return float(curve.risk.mean())


def area_under_generalised_risk(curve: RiskCoverage) -> float:
    """Return the AUGRC: the area under risk times coverage, the share of undetected losses.

    By the trapezoid over ``k / n`` from ``1 / n`` to 1, divided by its width, as
    torch-uncertainty has it. Unlike the AURC it does not weigh the few surest images most.

    Raises:
        ValueError: If the curve is one point, which has no area.

    References:
        Traub et al. 2024, arXiv:2407.01032, equation 5.
    """
    if len(curve.risk) < 2:
        raise ValueError("area_under_generalised_risk: the curve must have 2 points, got 1")
    area = np.trapezoid(curve.risk * curve.coverage, curve.coverage)
    return float(area / (1 - 1 / len(curve.risk)))


def selective_risks(
    losses: ArrayLike, uncertainty: ArrayLike, coverages: ArrayLike, weights: ArrayLike
) -> Floats:
    """Return the risk at some coverages, of cases that count so many times.

    For resampled patients: with weights of one it is :meth:`RiskCoverage.risk_at`, if no two
    images are equally uncertain.

    Shapes:
        losses and uncertainty ``(n,)``, coverages ``(C,)``, weights ``(R, n)``; returns
        ``(R, C)``.

    Example:
        >>> twice_the_last = [[1, 1, 2]]
        >>> selective_risks([0, 0, 1], [0.1, 0.2, 0.3], [0.5, 1.0], twice_the_last).tolist()
        [[0.0, 0.5]]
    """
    order = np.argsort(np.asarray(uncertainty), kind="stable")
    costs = np.asarray(losses, dtype=np.float64)[order]
    times = np.asarray(weights, dtype=np.float64)[:, order]
    reached, lost = times.cumsum(axis=1), (times * costs).cumsum(axis=1)
    # The first case with which the share is reached; cases that count 0 times change nothing.
    asked = np.asarray(coverages, dtype=np.float64) * reached[:, -1:] - 1e-9
    last = (reached[:, :, None] < asked[:, None, :]).sum(axis=1)
    rows = np.arange(len(times))[:, None]
    return np.asarray(lost[rows, last] / reached[rows, last])
