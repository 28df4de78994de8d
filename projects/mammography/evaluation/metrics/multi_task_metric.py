"""How good a model is, task by task."""

import math
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpretrain.registry import METRICS

from mammography.evaluation.metrics.sample_metric import SampleMetric, required
from mammography.functional.metrics import (
    Metrics,
    binary_metrics,
    class_metrics,
    regression_metrics,
)
from mammography.structures.task import Task
from mammography.terms import TaskKind

MEAN = "mean/roc_auc"


@METRICS.register_module()
class MultiTaskMetric(SampleMetric):
    """Metrics of every task that the model predicts, over the images that carry its label.

    Binary: ``roc_auc``, ``average_precision``, ``bce``. Multiclass and ordinal: ``roc_auc``
    (mean of one-versus-rest), ``accuracy``, ``cross_entropy``, and ``quadratic_kappa`` for
    ordinal. Regression: ``mse``, ``r2``, ``pearson``. Names are ``<task>/<metric>``; with
    two tasks or more that have a ROC-AUC, ``mean/roc_auc`` is the mean of those defined.

    A metric that the labels do not define is NaN, which never is the best, and a line of
    the log says why. After an evaluation ``details`` holds the metrics of each task with
    ``n``, ``n_positive`` (binary) and ``notes`` on the first process.

    Args:
        tasks: See :class:`SampleMetric`.
        prefix: See :class:`SampleMetric`.
    """

    details: dict[str, dict[str, Any]]

    def row(self, sample: dict[str, Any]) -> tuple[dict[str, float], dict[str, Any]]:
        """Return labels and predictions of a sample by task."""
        return required(sample, "gt_targets"), required(sample, "pred_scores")

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Return ``<task>/<metric>`` over all samples."""
        self.details = {}
        flat: dict[str, float] = {}
        names = results[0][1] if results else ()
        if "mean" in names:
            raise ValueError(
                f"MultiTaskMetric: no task must be named mean, {MEAN} is the mean of all"
            )
        for name, task in self.tasks_of(names).items():
            rows = [(gt[name], pred[name]) for gt, pred in results if name in gt]
            metrics = _evaluate(task, rows)
            notes = _by_reason(metrics.notes)
            for note in notes:
                print_log(f"{name}/{note}", logger="current")
            counts = {"n": len(rows)}
            if task.kind is TaskKind.BINARY:
                counts["n_positive"] = sum(label == 1 for label, _ in rows)
            self.details[name] = metrics.values | counts | ({"notes": notes} if notes else {})
            flat |= {f"{name}/{metric}": value for metric, value in metrics.values.items()}
        areas = [value for key, value in flat.items() if key.endswith("/roc_auc")]
        if len(areas) > 1:
            defined = [area for area in areas if not math.isnan(area)]
            flat[MEAN] = float(np.mean(defined)) if defined else math.nan
        return flat


def _by_reason(notes: dict[str, str]) -> list[str]:
    """Say each reason once, after the metrics that it is about."""
    reasons = dict.fromkeys(notes.values())
    return [f"{', '.join(k for k, v in notes.items() if v == note)} {note}" for note in reasons]


def _evaluate(task: Task, rows: list[tuple[float, Any]]) -> Metrics:
    labels = np.array([label for label, _ in rows], dtype=np.float64)
    if task.kind is TaskKind.BINARY:
        return binary_metrics(labels, [score for _, score in rows])
    if task.kind is TaskKind.REGRESSION:
        return regression_metrics(labels, [value for _, value in rows])
    scores = np.array([s for _, s in rows], dtype=np.float64)
    if rows and scores.shape[1:] != (task.num_classes,):
        raise ValueError(
            f"MultiTaskMetric: task {task.name} must have a probability for each of its "
            f"{task.num_classes} classes, got predictions of shape {scores.shape[1:]}: model and "
            "data set must describe it alike"
        )
    return class_metrics(labels, scores, ordered=task.kind is TaskKind.ORDINAL)
