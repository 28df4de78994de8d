"""What mmengine wrote down while it trained, over all starts of a run."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, float]


@dataclass(frozen=True)
class TrainingLog:
    """Logged numbers of a run, in order, each iteration once.

    Attributes:
        train: One row per logged iteration, with ``iter``.
        val: One row per validation, with ``step``.
        starts: First iteration of each start after the first.
        folders: Names of the folders the rows came from: times of the starts.
        unreadable: Number of lines that were no JSON, e.g. cut off by a kill.
    """

    train: tuple[Row, ...] = ()
    val: tuple[Row, ...] = ()
    starts: tuple[float, ...] = ()
    folders: tuple[str, ...] = ()
    unreadable: int = 0

    @property
    def by_epoch(self) -> bool:
        """Whether validations are counted in epochs, otherwise in iterations."""
        return any("epoch" in row for row in self.train)

    def train_curve(self, key: str) -> tuple[list[float], list[float]]:
        """Iterations and values of a number of the training rows."""
        rows = [row for row in self.train if key in row]
        return [row["iter"] for row in rows], [row[key] for row in rows]

    def val_curve(self, key: str) -> tuple[list[float], list[float]]:
        """Steps and values of a number of the validation rows."""
        rows = [row for row in self.val if key in row]
        return [row["step"] for row in rows], [row[key] for row in rows]


@dataclass
class _Start:
    """The rows of one ``scalars.json``."""

    folder: str
    train: list[Row] = field(default_factory=list)
    val: list[Row] = field(default_factory=list)
    unreadable: int = 0


def read_training_log(run_dir: Path) -> TrainingLog:
    """Read and merge ``<timestamp>/vis_data/scalars.json`` of all starts of a run.

    Folders are taken in the order of their names, which are times. A resumed training
    repeats what came after its checkpoint: the later start replaces from its first
    iteration (and validation) on. A training begun anew replaces everything.
    """
    starts = [_read(path) for path in sorted(run_dir.glob("*/vis_data/scalars.json"))]
    starts = [start for start in starts if start.train or start.val]
    train: list[Row] = []
    val: list[Row] = []
    marks: list[float] = []
    for start in starts:
        if start.train:
            first = start.train[0]
            train = [row for row in train if row["iter"] < first["iter"]]
            marks = [mark for mark in marks if mark < first["iter"]]
            marks += [first["iter"]] if train else []
        begin = _first_validation(start)
        val = [row for row in val if row["step"] < begin] + start.val
        train += start.train
    return TrainingLog(
        tuple(train),
        tuple(val),
        tuple(marks),
        tuple(start.folder for start in starts),
        sum(start.unreadable for start in starts),
    )


def _first_validation(start: _Start) -> float:
    """Step of the first validation that a start can have made."""
    steps = [row["step"] for row in start.val]
    if start.train:
        first = start.train[0]
        steps.append(first.get("epoch", first["iter"]))
    return min(steps)


def _read(path: Path) -> _Start:
    start = _Start(path.parent.parent.name)
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            row = _numbers(json.loads(line).items())
        except (json.JSONDecodeError, AttributeError):
            start.unreadable += 1
            continue
        if "iter" in row:
            start.train.append(row)
        elif "step" in row:
            start.val.append(row)
    return start


def _numbers(items: Iterable[tuple[str, Any]]) -> Row:
    """Keep what is a number; NaN stays, so that a diverged loss is seen."""
    return {
        key: float(value)
        for key, value in items
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
