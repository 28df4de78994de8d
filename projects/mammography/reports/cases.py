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
    levels_from,
    pool_labels,
    pool_scores,
)
from mammography.structures.prediction import Dump, PredictionRecord, row_level
from mammography.terms import Level, TaskKind

Floats = NDArray[np.float64]

# How one case and its score are spelled.
CASES = {
    Level.IMAGE: "image",
    Level.BREAST: "breast of an exam",
    Level.EXAM: "exam",
    Level.PATIENT: "patient",
}
_POOLED = {
    "mean": "the mean of the scores of its {rows}s",
    "max": "the highest score of its {rows}s",
    "noisy_or": "one minus the product of one minus the scores of its {rows}s (noisy-or)",
}


def score_in_words(level: Level, pooling: Pooling, rows: Level = Level.IMAGE) -> str:
    """Say what the score of a case is.

    Args:
        level: What one case is.
        pooling: How the scores of several rows become one.
        rows: What one row of the dump is.

    Example:
        >>> score_in_words(Level.PATIENT, "mean", Level.EXAM)
        'the mean of the scores of its exams'
        >>> score_in_words(Level.EXAM, "mean", Level.EXAM)
        'what the model says of it as a whole'
    """
    if level is rows:
        return "what the model says of it as a whole"
    return _POOLED[pooling].format(rows=rows)


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
        ValueError: If the dump does not hold the task, its rows are larger than a case, or an image
            lacks a score or what tells cases apart.
    """
    _check_task(dump, place, task)
    _check_level(dump, place, level)
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


def _check_level(dump: Dump, place: str, level: Level) -> None:
    """Refuse cases that are parts of what was scored: an exam has no score of a breast."""
    rows = row_level(dump.info)
    if level not in (known := levels_from(rows)):
        raise ValueError(
            f"{place}: level must be one of {', '.join(known)}, got {level}: each row is one "
            f"{rows}, scored as a whole, which cannot be divided: ask for level {known[0]}, or "
            f"take a model that scores each {level}"
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
