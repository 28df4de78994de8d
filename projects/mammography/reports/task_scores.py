"""The labels and scores of one task, as arrays that fit together."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from mammography.structures.prediction import Dump, PredictionRecord
from mammography.structures.task import Task
from mammography.terms import TaskKind


@dataclass(frozen=True)
class TaskScores:
    """Rows of a dump that carry a label and a usable score of a task.

    Attributes:
        task: The task.
        labels: (N,) labels.
        scores: (N,) probabilities of class 1 or values, or (N, K) class probabilities.
        records: The N rows, in the order of the dump.
        unscored: Labelled rows left out, as their score is absent or not finite.
    """

    task: Task
    labels: NDArray[np.float64]
    scores: NDArray[np.float64]
    records: tuple[PredictionRecord, ...]
    unscored: int

    @property
    def n_positive(self) -> int:
        """Number of labels of class 1."""
        return int((self.labels == 1).sum())

    @property
    def only_class(self) -> float | None:
        """The class of all labels when there is only one."""
        values = np.unique(self.labels)
        return float(values[0]) if len(values) == 1 else None

    @property
    def roc_auc(self) -> float | None:
        """Area under the ROC curve of a binary task with both classes."""
        if self.task.kind is not TaskKind.BINARY or len(np.unique(self.labels)) != 2:
            return None
        return float(roc_auc_score(self.labels, self.scores))


def scores_of(dump: Dump, name: str) -> TaskScores:
    """Collect what a dump says about a task.

    Raises:
        ValueError: If a score has not the form that the kind of the task asks for, or a
            label is none of its labels.
    """
    task = dump.tasks[name]
    width = task.num_classes if task.kind in (TaskKind.MULTICLASS, TaskKind.ORDINAL) else 0
    kept: list[tuple[PredictionRecord, float, Any]] = []
    unscored = 0
    for record in dump.records:
        if name not in record.gt_label:
            continue
        label, score = task.check(record.gt_label[name]), record.pred_score.get(name)
        if score is None or not _is_finite(score):
            unscored += 1
            continue
        if np.shape(score) != ((width,) if width else ()):
            wanted = f"a list of {width} probabilities" if width else "one number"
            raise ValueError(
                f"{record.img_path}: pred_score of {name} must be {wanted}, got {score!r}"
            )
        kept.append((record, label, score))
    return TaskScores(
        task,
        np.array([label for _, label, _ in kept], dtype=float),
        np.array([score for _, _, score in kept], dtype=float).reshape(
            (len(kept), width) if width else (len(kept),)
        ),
        tuple(record for record, _, _ in kept),
        unscored,
    )


def _is_finite(score: float | list[float]) -> bool:
    return all(map(math.isfinite, score if isinstance(score, list) else [score]))
