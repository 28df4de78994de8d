"""How good predictions are: one pure function per kind of task.

A metric that the labels at hand do not define (ROC-AUC of one class, R2 of one value) is
NaN and carries a note that says why; the other metrics of the task stay.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    cohen_kappa_score,
    mean_squared_error,
    r2_score,
    roc_auc_score,
)

# Probabilities come from float32, where a sigmoid is exactly 0 or 1 beyond a logit of 17.
SMALLEST_PROBABILITY = float(np.finfo(np.float32).eps)

Floats = NDArray[np.float64]


@dataclass
class Metrics:
    """Metrics of one task.

    Attributes:
        values: Metric name to value; NaN when it is not defined.
        notes: Metric name to why it is not defined, or what it leaves out.
    """

    values: dict[str, float] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def undefine(self, reason: str, *names: str) -> None:
        """Record that metrics are not defined, and why."""
        self.values.update(dict.fromkeys(names, float("nan")))
        self.notes.update(dict.fromkeys(names, f"not defined: {reason}"))


def binary_metrics(labels: ArrayLike, scores: ArrayLike) -> Metrics:
    """Return ``roc_auc``, ``average_precision`` and ``bce`` of a binary task.

    Average precision is the step-wise area under the precision-recall curve; its
    baseline is the share of positives. ``bce`` is the mean binary cross-entropy.

    Args:
        labels: 0 or 1. Shape ``(N,)``.
        scores: Probability of class 1, in [0, 1]. Shape ``(N,)``.

    Example:
        >>> metrics = binary_metrics([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> {name: round(value, 3) for name, value in metrics.values.items()}
        {'roc_auc': 0.75, 'average_precision': 0.833, 'bce': 0.472}
        >>> binary_metrics([0, 0], [0.1, 0.4]).notes["roc_auc"]
        'not defined: only class 0 among 2 labelled images'
    """
    label, score = _as_floats(labels), _as_floats(scores)
    metrics = Metrics()
    if reason := _unusable(label, score):
        metrics.undefine(reason, "roc_auc", "average_precision", "bce")
        return metrics
    classes = np.unique(label)
    if len(classes) == 1:
        reason = f"only class {classes[0]:g} among {_images(label)}"
        metrics.undefine(reason, "roc_auc", "average_precision")
    else:
        metrics.values["roc_auc"] = float(roc_auc_score(label, score))
        metrics.values["average_precision"] = float(average_precision_score(label, score))
    metrics.values["bce"] = _cross_entropy(label, np.stack([1 - score, score], axis=1))
    return metrics


def class_metrics(labels: ArrayLike, scores: ArrayLike, ordered: bool = False) -> Metrics:
    """Return the metrics of a task with several classes.

    ``roc_auc`` is the mean over classes of one-versus-rest; a class that no image has is
    left out of the mean, and a note says so. ``accuracy`` and ``quadratic_kappa`` (ordered
    classes only) take the class of the highest probability.

    Args:
        labels: Class indices. Shape ``(N,)``.
        scores: Probabilities of the classes. Shape ``(N, C)``.
        ordered: Whether the classes run from low to high.

    References:
        Cohen, Weighted kappa, Psychological Bulletin 1968 (quadratic weights).

    Example:
        >>> scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3]]
        >>> metrics = class_metrics([0, 1, 2], scores, ordered=True)
        >>> {name: round(value, 3) for name, value in metrics.values.items()}
        {'roc_auc': 0.75, 'accuracy': 0.667, 'cross_entropy': 0.707, 'quadratic_kappa': 0.667}
    """
    label, score = _as_floats(labels), _as_floats(scores)
    metrics = Metrics()
    names = ["roc_auc", "accuracy", "cross_entropy", *(["quadratic_kappa"] if ordered else [])]
    if reason := _unusable(label, score):
        metrics.undefine(reason, *names)
        return metrics
    predicted = score.argmax(axis=1)
    _add_one_versus_rest(metrics, label, score)
    metrics.values["accuracy"] = float(accuracy_score(label, predicted))
    metrics.values["cross_entropy"] = _cross_entropy(label, score)
    if ordered and np.unique([label, predicted]).size == 1:
        reason = f"labels and predictions are all class {label[0]:g}"
        metrics.undefine(reason, "quadratic_kappa")
    elif ordered:
        kappa = cohen_kappa_score(label, predicted, weights="quadratic")
        metrics.values["quadratic_kappa"] = float(kappa)
    return metrics


def regression_metrics(labels: ArrayLike, values: ArrayLike) -> Metrics:
    """Return ``mse``, ``r2`` and ``pearson`` of a regression task.

    Args:
        labels: True values. Shape ``(N,)``.
        values: Predicted values. Shape ``(N,)``.

    Example:
        >>> metrics = regression_metrics([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
        >>> {name: round(value, 3) for name, value in metrics.values.items()}
        {'mse': 0.333, 'r2': 0.5, 'pearson': 0.982}
    """
    label, value = _as_floats(labels), _as_floats(values)
    metrics = Metrics()
    if reason := _unusable(label, value):
        metrics.undefine(reason, "mse", "r2", "pearson")
        return metrics
    metrics.values["mse"] = float(mean_squared_error(label, value))
    if np.ptp(label) == 0:
        metrics.undefine(f"the label is {label[0]:g} in {_images(label)}", "r2", "pearson")
        return metrics
    metrics.values["r2"] = float(r2_score(label, value))
    if np.ptp(value) == 0:
        metrics.undefine("all predictions are the same", "pearson")
    else:
        metrics.values["pearson"] = float(np.corrcoef(label, value)[0, 1])
    return metrics


def _as_floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


def _images(label: Floats) -> str:
    return f"{len(label)} labelled image{'s' if len(label) > 1 else ''}"


def _unusable(label: Floats, score: Floats) -> str:
    """Say why nothing can be computed, or nothing."""
    if not len(label):
        return "no labelled image"
    broken = int((~np.isfinite(score)).reshape(len(label), -1).any(axis=1).sum())
    return f"{broken} of {len(label)} predictions are not finite" if broken else ""


def _cross_entropy(label: Floats, score: Floats) -> float:
    """Mean negative log-probability of the true class."""
    of_truth = np.take_along_axis(score, label.astype(int)[:, None], axis=1)
    return float(-np.log(of_truth.clip(SMALLEST_PROBABILITY, 1.0)).mean())


def _add_one_versus_rest(metrics: Metrics, label: Floats, score: Floats) -> None:
    """Add the macro one-versus-rest ROC-AUC over the classes that have both sides."""
    count = score.shape[1]
    usable = [k for k in range(count) if 0 < (label == k).sum() < len(label)]
    if not usable:
        metrics.undefine(f"only class {label[0]:g} among {_images(label)}", "roc_auc")
        return
    areas = [roc_auc_score(label == k, score[:, k]) for k in usable]
    metrics.values["roc_auc"] = float(np.mean(areas))
    if absent := sorted(set(range(count)) - set(usable)):
        names = ", ".join(map(str, absent))
        metrics.notes["roc_auc"] = f"without class {names}: none of {_images(label)} has it"
