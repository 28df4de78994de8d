"""One cell of a domain study: a model, the hospital it is tested on, the statistics it uses."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.aggregation import (
    NAMES_OF_LEVEL,
    Pooling,
    group_by,
    pool_labels,
    pool_scores,
)
from mammography.structures.prediction import PredictionRecord, read_dump
from mammography.terms import Level, TaskKind

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """What is measured, and how.

    Attributes:
        task: Name of the binary task.
        level: What one case is.
        pooling: How the scores of the images of a case become one.
        reference: The statistics that the others are compared with.
        repeats: Resamples of patients for an interval.
    """

    task: str = "malignant"
    level: Level = Level.BREAST
    pooling: Pooling = "mean"
    reference: str = "running"
    repeats: int = 2000


@dataclass(frozen=True)
class Cell:
    """Where one number of the table comes from.

    Attributes:
        model: Name of the model.
        source: Hospitals it was trained on.
        input: Name of the input normalisation; empty where there is one only.
        seed: Of the training; None where it was trained elsewhere.
        target: Hospital it is tested on.
        statistics: Name of the statistics its batch norms use.
        adapted_to: Hospital whose unlabelled images its training saw, if any.
        at_home: Whether the target is one of the hospitals it was trained on.
        folder: Its folder in the study.
        predictions: The dump; None while there is none.
        complaint: Why there is none.
    """

    model: str
    source: str
    input: str
    seed: int | None
    target: str
    statistics: str
    adapted_to: str = ""
    at_home: bool = False
    folder: str = ""
    predictions: Path | None = None
    complaint: str = ""

    @property
    def trained_on(self) -> str:
        """What its training saw, in words."""
        unlabelled = f"{self.adapted_to} unlabelled" if self.adapted_to else ""
        return ", ".join(filter(None, (self.source, unlabelled)))

    @property
    def run(self) -> tuple[str, str, str, int | None]:
        """What its model is."""
        return self.model, self.source, self.input, self.seed

    @property
    def run_name(self) -> str:
        """The same, in words."""
        seed = "" if self.seed is None else f"seed {self.seed}"
        return ", ".join(filter(None, (self.model, self.source, self.input, seed)))


@dataclass(frozen=True, eq=False)
class Cases:
    """Labelled breasts (exams, patients, images) with their scores, sorted by name.

    Attributes:
        names: What tells the cases apart.
        labels: 0 or 1, ``(N,)``.
        scores: Of class 1, ``(N,)``.
        patients: Whom each belongs to, ``(N,)``.
        images: Number of images behind them.
        unlabelled: Cases left out, as no image of theirs has a label.
        info: Where the predictions come from.
    """

    names: tuple[tuple[str, ...], ...]
    labels: Floats
    scores: Floats
    patients: NDArray[np.str_]
    images: int
    unlabelled: int
    info: dict[str, Any]

    @property
    def positives(self) -> int:
        """Number of cases of class 1."""
        return int(self.labels.sum())

    def agrees_with(self, other: "Cases") -> bool:
        """Whether both hold the same cases with the same labels."""
        return self.names == other.names and np.array_equal(self.labels, other.labels)


def read_cases(path: Path, outcome: Outcome) -> Cases:
    """Read a dump and pool its images.

    All images of a case speak, those without a label too; its label is the highest of theirs.

    Raises:
        ValueError: If the dump does not hold the task, or an image lacks what tells cases apart.
    """
    dump = read_dump(path)
    task = dump.tasks.get(outcome.task)
    if task is None or task.kind is not TaskKind.BINARY:
        binary = [name for name, known in dump.tasks.items() if known.kind is TaskKind.BINARY]
        raise ValueError(
            f"{path}: task must be a binary one that was predicted ({', '.join(binary) or 'none'}),"
            f" got {outcome.task}"
        )
    rows = dump.records
    _check_names(path, rows, (*NAMES_OF_LEVEL[outcome.level], "patient_id"))
    columns = [
        [str(getattr(row, name) or "") for row in rows] for name in NAMES_OF_LEVEL[outcome.level]
    ]
    groups = group_by(*columns)
    scores = pool_scores(
        [row.pred_score.get(outcome.task, math.nan) for row in rows], groups, outcome.pooling
    )
    labels = pool_labels([row.gt_label.get(outcome.task, math.nan) for row in rows], groups)
    kept = ~np.isnan(labels)
    first = groups.first[kept]
    names = list(zip(*columns, strict=True))
    return Cases(
        tuple(names[image] for image in first),
        labels[kept],
        scores[kept],
        np.array([str(rows[image].patient_id) for image in first], dtype=str),
        int(groups.sizes[kept].sum()),
        int((~kept).sum()),
        dump.info,
    )


def _check_names(path: Path, rows: tuple[PredictionRecord, ...], names: tuple[str, ...]) -> None:
    """Refuse images whose case is not known; exams alone may be, as the only one of a patient."""
    absent = Counter(
        name for row in rows for name in set(names) - {"exam_id"} if getattr(row, name) is None
    )
    if absent:
        what = ", ".join(f"{count} of {len(rows)} without {name}" for name, count in absent.items())
        raise ValueError(f"{path}: every image must tell the case it belongs to, got {what}")
