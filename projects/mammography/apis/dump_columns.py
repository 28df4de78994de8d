"""The columns of a dump for one task that tells classes apart."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.aggregation import Groups, group_by
from mammography.structures.prediction import Dump
from mammography.terms import TaskKind

Floats = NDArray[np.float64]
UNITS = ("patient", "image")


@dataclass(frozen=True, eq=False)
class Columns:
    """What a dump says about one task.

    Attributes:
        labels: Class indices, NaN where one is missing, ``(N,)``.
        probabilities: Of the classes, ``(N, K)``.
        units: Names of what is exchangeable, patients or images, ``(N,)``.
    """

    labels: Floats
    probabilities: Floats
    units: NDArray[np.str_]

    @property
    def labelled(self) -> "Columns":
        """The rows that have a label."""
        rows = np.isfinite(self.labels)
        return Columns(self.labels[rows], self.probabilities[rows], self.units[rows])

    @property
    def groups(self) -> Groups:
        """Which rows belong to one unit."""
        return group_by(self.units)


def class_tasks(dump: Dump) -> list[str]:
    """Return the tasks that have classes: a regression has none to be sure of."""
    return [name for name, task in dump.tasks.items() if task.kind is not TaskKind.REGRESSION]


def columns_of(dump: Dump, task: str, unit: str, place: str) -> Columns:
    """Return the columns of a task.

    Args:
        dump: Its predictions.
        task: Name of a task with classes.
        unit: ``patient`` or ``image``: what is exchangeable, and resampled.
        place: The file, for messages.

    Raises:
        ValueError: If a row has no prediction, or no patient when patients are the unit.
    """
    scores = [row.pred_score.get(task) for row in dump.records]
    if any(score is None for score in scores) or not scores:
        raise ValueError(f"{place}: every row must have a prediction of {task}")
    names = [row.patient_id if unit == "patient" else row.img_path for row in dump.records]
    if any(name is None for name in names):
        raise ValueError(
            f"{place}: every row must have a patient_id, got {names.count(None)} without: images "
            "of one patient are not independent; take --unit image only if each is another's"
        )
    return Columns(
        np.array([row.gt_label.get(task, np.nan) for row in dump.records], dtype=np.float64),
        _probabilities(scores, dump.tasks[task].num_classes, f"{place}: {task}"),
        np.array(names, dtype=str),
    )


def _probabilities(scores: list[Any], classes: int, place: str) -> Floats:
    table = np.array(scores, dtype=np.float64)
    if table.ndim == 1:
        table = np.stack([1 - table, table], axis=1)
    if table.shape[1] != classes:
        raise ValueError(f"{place} must have {classes} classes, got {table.shape[1]} scores")
    return table
