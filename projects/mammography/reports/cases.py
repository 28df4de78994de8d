"""From the images of a dump to labelled cases: images, breasts, exams or patients."""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.aggregation import (
    NAMES_OF_LEVEL,
    Groups,
    Pooling,
    group_by,
    pool_labels,
    pool_scores,
)
from mammography.structures.prediction import Dump, PredictionRecord
from mammography.terms import Level, TaskKind

Floats = NDArray[np.float64]

# How one case and its score are spelled.
CASES = {
    Level.IMAGE: "image",
    Level.BREAST: "breast of an exam",
    Level.EXAM: "exam",
    Level.PATIENT: "patient",
}
POOLED = {
    "mean": "the mean of the scores of its images",
    "max": "the highest score of its images",
    "noisy_or": "one minus the product of one minus the scores of its images (noisy-or)",
}


@dataclass(frozen=True, eq=False)
class Cases:
    """Labelled breasts (exams, patients, images) with their scores, sorted by name.

    Attributes:
        names: What tells the cases apart.
        labels: 0 or 1, ``(N,)``.
        scores: Of class 1, ``(N,)``.
        patients: Whom each belongs to, ``(N,)``.
        members: The images of each case.
        unlabelled: Cases left out, as no image of theirs has a label.
        info: Where the predictions come from.
    """

    names: tuple[tuple[str, ...], ...]
    labels: Floats
    scores: Floats
    patients: NDArray[np.str_]
    members: tuple[tuple[PredictionRecord, ...], ...]
    unlabelled: int
    info: dict[str, Any]

    @property
    def positives(self) -> int:
        """Number of cases of class 1."""
        return int(self.labels.sum())

    @property
    def images(self) -> int:
        """Number of images behind the cases."""
        return sum(map(len, self.members))

    def agrees_with(self, other: "Cases") -> bool:
        """Whether both hold the same cases with the same labels."""
        return self.names == other.names and np.array_equal(self.labels, other.labels)


def pool_cases(dump: Dump, place: str, task: str, level: Level, pooling: Pooling) -> Cases:
    """Pool the images of a dump.

    All images of a case speak, those without a label too; its label is the highest of theirs.

    Args:
        dump: The predictions.
        place: Where they come from, for errors.
        task: Name of a binary task.
        level: What one case is.
        pooling: How the scores of the images of a case become one.

    Raises:
        ValueError: If the dump does not hold the task, or an image lacks a score or what tells
            cases apart.
    """
    _check_task(dump, place, task)
    rows = dump.records
    _check_names(place, rows, (*NAMES_OF_LEVEL[level], "patient_id"))
    columns = [[str(getattr(row, name) or "") for row in rows] for name in NAMES_OF_LEVEL[level]]
    groups = group_by(*columns)
    try:
        scores = pool_scores([row.pred_score.get(task, math.nan) for row in rows], groups, pooling)
    except ValueError as error:
        raise ValueError(f"{place}: {task}: {error}") from error
    labels = pool_labels([row.gt_label.get(task, math.nan) for row in rows], groups)
    kept = ~np.isnan(labels)
    first = groups.first[kept]
    names = list(zip(*columns, strict=True))
    return Cases(
        tuple(names[image] for image in first),
        labels[kept],
        scores[kept],
        np.array([str(rows[image].patient_id) for image in first], dtype=str),
        _members(rows, groups, kept),
        int((~kept).sum()),
        dump.info,
    )


def _check_task(dump: Dump, place: str, name: str) -> None:
    task = dump.tasks.get(name)
    if task is None or task.kind is not TaskKind.BINARY:
        raise ValueError(
            f"{place}: task must be a binary one that was predicted "
            f"({', '.join(binary_tasks(dump)) or 'none'}), got {name}"
        )


def binary_tasks(dump: Dump) -> list[str]:
    """Return the names of the binary tasks of a dump."""
    return [name for name, task in dump.tasks.items() if task.kind is TaskKind.BINARY]


def _members(
    rows: tuple[PredictionRecord, ...], groups: Groups, kept: NDArray[np.bool_]
) -> tuple[tuple[PredictionRecord, ...], ...]:
    parts = np.split(groups.order, groups.starts[1:])
    return tuple(
        tuple(rows[image] for image in part)
        for part, wanted in zip(parts, kept, strict=True)
        if wanted
    )


def _check_names(place: str, rows: tuple[PredictionRecord, ...], names: tuple[str, ...]) -> None:
    """Refuse images whose case is not known; exams alone may be, as the only one of a patient."""
    absent = Counter(
        name for row in rows for name in set(names) - {"exam_id"} if getattr(row, name) is None
    )
    if absent or not rows:
        what = ", ".join(f"{count} of {len(rows)} without {name}" for name, count in absent.items())
        raise ValueError(
            f"{place}: every image must tell the case it belongs to, got {what or 'no image'}"
        )
