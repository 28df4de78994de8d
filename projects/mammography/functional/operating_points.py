"""Thresholds: how to choose one, and what calls at one are worth."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OperatingPoint:
    """Calls at a threshold: a case is called positive where its score reaches it.

    Shares of nothing (sensitivity without positives) are NaN.

    Attributes:
        threshold: The lowest score that is called.
        tp: Called, and positive.
        fp: Called, and negative.
        tn: Not called, and negative.
        fn: Not called, and positive.

    Example:
        >>> point = operating_point([0, 0, 1, 1], [0.1, 0.6, 0.6, 0.9], 0.6)
        >>> point.sensitivity, point.specificity, point.recall_rate
        (1.0, 0.5, 0.75)
    """

    threshold: float
    tp: int
    fp: int
    tn: int
    fn: int

    @property
    def sensitivity(self) -> float:
        """Share of the positives that are called."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """Share of the negatives that are not called."""
        return _share(self.tn, self.tn + self.fp)

    @property
    def ppv(self) -> float:
        """Share of the calls that are positive: precision."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def npv(self) -> float:
        """Share of what is not called that is negative."""
        return _share(self.tn, self.tn + self.fn)

    @property
    def recall_rate(self) -> float:
        """Share of all cases that are called: the women who are called back, not the recall."""
        return _share(self.tp + self.fp, self.tp + self.fp + self.tn + self.fn)

    @property
    def detection_rate(self) -> float:
        """Positives that are called, of all cases; times 1000 it is cancers per 1000 screened."""
        return _share(self.tp, self.tp + self.fp + self.tn + self.fn)

    @property
    def f1(self) -> float:
        """Harmonic mean of sensitivity and ppv."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    def to_json(self) -> dict[str, Any]:
        """Return counts and shares."""
        names = (
            "sensitivity",
            "specificity",
            "ppv",
            "npv",
            "recall_rate",
            "detection_rate",
            "f1",
        )
        return asdict(self) | {name: getattr(self, name) for name in names}


def operating_point(labels: ArrayLike, scores: ArrayLike, threshold: float) -> OperatingPoint:
    """Return what calls at a threshold are.

    Args:
        labels: 0 or 1. Shape ``(N,)``.
        scores: Shape ``(N,)``.
        threshold: The lowest score that is called.

    Raises:
        ValueError: If labels and scores do not fit, or the threshold is NaN.
    """
    label, score = _checked(labels, scores)
    if math.isnan(threshold):
        raise ValueError("operating_point: threshold must be a number, got nan")
    called = score >= threshold
    return OperatingPoint(
        float(threshold),
        tp=int((called & (label == 1)).sum()),
        fp=int((called & (label == 0)).sum()),
        tn=int((~called & (label == 0)).sum()),
        fn=int((~called & (label == 1)).sum()),
    )


def sensitivity_at_specificity(
    labels: ArrayLike, scores: ArrayLike, at_least: float
) -> OperatingPoint:
    """Return the point of the highest sensitivity among those of the asked specificity.

    It is one that calls can have: nothing is interpolated. The highest threshold calls nobody, so
    there always is one.

    Args:
        labels: 0 or 1, both of them. Shape ``(N,)``.
        scores: Shape ``(N,)``.
        at_least: Specificity, in [0, 1].

    Example:
        >>> sensitivity_at_specificity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.9).sensitivity
        0.5
    """
    curve = _Curve.of(labels, scores)
    return curve.best(curve.sensitivity, curve.specificity >= _in_unit(at_least, "at_least"))


def specificity_at_sensitivity(
    labels: ArrayLike, scores: ArrayLike, at_least: float
) -> OperatingPoint:
    """Return the point of the highest specificity among those of the asked sensitivity.

    Args:
        labels: 0 or 1, both of them. Shape ``(N,)``.
        scores: Shape ``(N,)``.
        at_least: Sensitivity, in [0, 1].

    Example:
        >>> specificity_at_sensitivity([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 1.0).specificity
        0.5
    """
    curve = _Curve.of(labels, scores)
    return curve.best(curve.specificity, curve.sensitivity >= _in_unit(at_least, "at_least"))


def youden(labels: ArrayLike, scores: ArrayLike) -> OperatingPoint:
    """Return the point of the highest sensitivity + specificity - 1.

    Args:
        labels: 0 or 1, both of them. Shape ``(N,)``.
        scores: Shape ``(N,)``.

    References:
        Youden 1950, Cancer 3(1):32-35.

    Example:
        >>> youden([0, 0, 0, 1, 1], [0.1, 0.2, 0.6, 0.5, 0.8]).threshold
        0.5
    """
    curve = _Curve.of(labels, scores)
    # In whole numbers: rounding must not choose among equal points.
    return curve.best(curve.tp * curve.fp[-1] - curve.fp * curve.tp[-1])


def least_cost(
    labels: ArrayLike, scores: ArrayLike, cost_ratio: float, prevalence: float | None = None
) -> OperatingPoint:
    """Return the point of the least expected cost.

    The cost of a case is ``cost_ratio * prevalence * (1 - sensitivity)
    + (1 - prevalence) * (1 - specificity)``. For calibrated probabilities the threshold comes
    close to ``1 / (1 + cost_ratio)``.

    Args:
        labels: 0 or 1, both of them. Shape ``(N,)``.
        scores: Shape ``(N,)``.
        cost_ratio: What a missed positive costs, in false calls; above 0.
        prevalence: Of the population, in (0, 1); that of the labels by default, which is
            not the population's where cases were enriched.

    References:
        Metz 1978, Semin Nucl Med 8(4):283-298 (the slope of the tangent to the curve).

    Example:
        >>> least_cost([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], cost_ratio=10).sensitivity
        1.0
    """
    curve = _Curve.of(labels, scores)
    if not 0 < cost_ratio < math.inf:
        raise ValueError(f"least_cost: cost_ratio must be above 0, got {cost_ratio}")
    share = curve.prevalence if prevalence is None else prevalence
    if not 0 < share < 1:
        raise ValueError(f"least_cost: prevalence must lie in (0, 1), got {share}")
    cost = cost_ratio * share * (1 - curve.sensitivity) + (1 - share) * (1 - curve.specificity)
    return curve.best(-cost)


def best_f_score(labels: ArrayLike, scores: ArrayLike, beta: float = 1.0) -> OperatingPoint:
    """Return the point of the highest F-score, which is the probabilistic one of hard calls.

    Args:
        labels: 0 or 1, both of them. Shape ``(N,)``.
        scores: Shape ``(N,)``.
        beta: Weight of sensitivity, above 0.

    Example:
        >>> best_f_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).f1
        0.8
    """
    curve = _Curve.of(labels, scores)
    if not beta > 0:
        raise ValueError(f"best_f_score: beta must be above 0, got {beta}")
    positives = curve.tp[-1]
    return curve.best((1 + beta**2) * curve.tp / (beta**2 * positives + curve.tp + curve.fp))


RULES: Mapping[str, Callable[..., OperatingPoint]] = {
    "sensitivity_at_specificity": sensitivity_at_specificity,
    "specificity_at_sensitivity": specificity_at_sensitivity,
    "youden": youden,
    "least_cost": least_cost,
    "best_f_score": best_f_score,
}


@dataclass(frozen=True)
class _Curve:
    """Calls at every threshold that changes them, from none called to all.

    Attributes:
        thresholds: The one above all scores, then each score, ``(K,)``, falling.
        tp: Positives called at each, ``(K,)``.
        fp: Negatives called at each, ``(K,)``.
    """

    thresholds: Floats
    tp: Floats
    fp: Floats

    @classmethod
    def of(cls, labels: ArrayLike, scores: ArrayLike) -> "_Curve":
        label, score = _checked(labels, scores)
        if len(np.unique(label)) < 2:
            raise ValueError(
                "a threshold needs labels of both classes to be chosen by, "
                f"got {len(label)} cases of {np.unique(label)}"
            )
        found, where = np.unique(score, return_inverse=True)
        called = [np.bincount(where[label == side], minlength=len(found)) for side in (1, 0)]
        tp, fp = (np.append(0.0, np.cumsum(counts[::-1])) for counts in called)
        # Above all scores, and still a number that JSON has.
        return cls(np.append(np.nextafter(found[-1], np.inf), found[::-1]), tp, fp)

    @property
    def sensitivity(self) -> Floats:
        return np.asarray(self.tp / self.tp[-1])

    @property
    def specificity(self) -> Floats:
        return np.asarray((self.fp[-1] - self.fp) / self.fp[-1])

    @property
    def prevalence(self) -> float:
        return float(self.tp[-1] / (self.tp[-1] + self.fp[-1]))

    def best(self, value: Floats, allowed: NDArray[np.bool_] | None = None) -> OperatingPoint:
        """Return the point of the highest value; of equals the one that calls the fewest."""
        place = int(np.argmax(value if allowed is None else np.where(allowed, value, -np.inf)))
        tp, fp = int(self.tp[place]), int(self.fp[place])
        return OperatingPoint(
            float(self.thresholds[place]), tp, fp, int(self.fp[-1]) - fp, int(self.tp[-1]) - tp
        )


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    label = np.asarray(labels, dtype=np.float64)
    score = np.asarray(scores, dtype=np.float64)
    if label.ndim != 1 or label.shape != score.shape or not len(label):
        raise ValueError(
            "operating points: labels and scores must be of one shape (N,), N > 0, "
            f"got {label.shape} and {score.shape}"
        )
    if not np.isin(label, (0, 1)).all() or not np.isfinite(score).all():
        raise ValueError(
            "operating points: labels must be 0 or 1 and scores finite, got labels "
            f"{np.unique(label)[:4]} and {int((~np.isfinite(score)).sum())} that are not finite"
        )
    return label, score


def _in_unit(value: float, name: str) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"operating points: {name} must lie in [0, 1], got {value}")
    return value


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
