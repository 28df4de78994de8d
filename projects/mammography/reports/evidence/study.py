"""Several models on the same cases: what the evidence is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.aggregation import group_by
from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.reports.cases import Cases, binary_tasks, pool_cases
from mammography.reports.evidence.attributes import Attribute, Joined, attributes_of, join
from mammography.reports.evidence.names import model_names, short_names
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.thresholds import Threshold, choose_threshold
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, row_level
from mammography.structures.task import Task
from mammography.terms import Level

Floats = NDArray[np.float64]
_TOLD = 3


@dataclass(frozen=True, eq=False)
class Model:
    """One dump.

    Attributes:
        name: What it is called on the page, short enough for a table.
        full_name: The whole name.
        scores: One per case, ``(N,)``.
        threshold: At which score a case is recalled, and where that comes from.
        uncertainty: Kind of uncertainty to one value per case, ``(N,)``; the highest of its images.
        info: What the dump says about where it comes from.
    """

    name: str
    full_name: str
    scores: Floats
    threshold: Threshold
    uncertainty: Mapping[str, Floats] = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Study:
    """Labelled cases with the scores of one model or several.

    Attributes:
        task: The outcome.
        options: How the dumps became cases.
        labels: 0 or 1, ``(N,)``.
        patients: Whom each case belongs to, ``(N,)``.
        members: The rows of each case: its images, unless :attr:`rows` are larger.
        unlabelled: Cases left out, as no image of theirs has a label.
        models: In the order of the dumps.
        attributes: What divides the cases into subgroups.
        joined: The annotation file behind the images.
    """

    task: Task
    options: EvidenceOptions
    labels: Floats
    patients: NDArray[np.str_]
    members: tuple[tuple[PredictionRecord, ...], ...]
    unlabelled: int
    models: tuple[Model, ...]
    attributes: tuple[Attribute, ...]
    joined: Joined

    @property
    def n(self) -> int:
        """Number of cases."""
        return len(self.labels)

    @property
    def positives(self) -> int:
        """Number of cases of class 1."""
        return int(self.labels.sum())

    @property
    def prevalence(self) -> float:
        """Share of the cases that are of class 1."""
        return float(self.labels.mean())

    @property
    def divisions(self) -> tuple[Attribute, ...]:
        """The attributes that divide the cases: those of more than one group."""
        return tuple(attribute for attribute in self.attributes if len(attribute.groups) > 1)

    @property
    def reference(self) -> Model:
        """The model that the others are compared with."""
        return self.models[self.options.reference]

    @property
    def rows(self) -> Level:
        """What a row of the first dump is: an image, or an exam that was scored as a whole."""
        return row_level(self.models[0].info)

    @cached_property
    def enough(self) -> bool:
        """Whether both classes have the cases, of several patients, that an interval needs."""
        sides = (self.labels == 1, self.labels == 0)
        patients = min(len(np.unique(self.patients[side])) for side in sides)
        return patients > 1 and min(self.positives, self.n - self.positives) >= FEWEST_OF_A_CLASS


def read_study(paths: Sequence[Path], options: EvidenceOptions) -> Study:
    """Read dumps of several models on the same cases.

    Args:
        paths: The dumps.
        options: How to read them.

    Raises:
        ValueError: If a dump cannot be used, or holds other cases than the first.
    """
    dumps = [_read(path) for path in paths]
    task = _task(dumps[0], paths[0], options.task)
    _check_positions(len(paths), options)
    cases = [
        pool_cases(dump, str(path), task.name, options.level, options.pooling)
        for dump, path in zip(dumps, paths, strict=True)
    ]
    first = cases[0]
    for path, other in zip(paths[1:], cases[1:], strict=True):
        _check_same(first, other, str(paths[0]), str(path))
    if first.positives in (0, len(first.labels)):
        only = task.classes[int(first.positives > 0)]
        raise ValueError(
            f"{paths[0]}: {task.name} must have cases of both classes, "
            f"got {len(first.labels)} of class {only} alone"
        )
    names = model_names(paths, dumps, options.names)
    joined = join(dumps[0].info, options.data_root)
    models = tuple(
        Model(
            name,
            full,
            case.scores,
            choose_threshold(path, case, task.name, options, index),
            _uncertainty(case, task.name),
            case.info,
        )
        for index, (path, name, full, case) in enumerate(
            zip(paths, short_names(names), names, cases, strict=True)
        )
    )
    return Study(
        task,
        options,
        first.labels,
        first.patients,
        first.members,
        first.unlabelled,
        models,
        attributes_of(first, joined, options.level),
        joined,
    )


def _read(path: Path) -> Dump:
    try:
        return read_dump(path)
    except FileNotFoundError:
        raise
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} must be a dump of predictions, got {error!r}") from error


def _task(dump: Dump, path: Path, name: str | None) -> Task:
    """Return the task that was asked for, or the only one there is."""
    binary = binary_tasks(dump)
    if name is None and len(binary) != 1:
        raise ValueError(
            f"{path}: task must be chosen among the binary ones ({', '.join(binary) or 'none'}): "
            "name it with --task"
        )
    chosen = name or binary[0]
    if chosen not in binary:
        raise ValueError(
            f"{path}: task must be a binary one that was predicted "
            f"({', '.join(binary) or 'none'}), got {chosen}"
        )
    return dump.tasks[chosen]


def _check_positions(count: int, options: EvidenceOptions) -> None:
    for what, given in (("names", len(options.names)), ("thresholds", len(options.thresholds))):
        if given not in {0, count} | ({1} if what == "thresholds" else set()):
            raise ValueError(f"evidence: {what} must be one per dump ({count}), got {given}")
    if not 0 <= options.reference < count:
        raise ValueError(
            f"evidence: reference must be the position of a dump, 1 to {count}, "
            f"got {options.reference + 1}"
        )


def _check_same(first: Cases, other: Cases, place: str, other_place: str) -> None:
    """Refuse models on different cases: their numbers could not be compared."""
    absent, more = (
        sorted(set(a.names) - set(b.names)) for a, b in ((first, other), (other, first))
    )
    if absent or more:
        parts = [
            f"{len(names):,} {what} ({'; '.join('/'.join(name) for name in names[:_TOLD])})"
            for names, what in ((absent, "missing"), (more, "more"))
            if names
        ]
        raise ValueError(
            f"{other_place}: cases must be those of {place}, got {' and '.join(parts)}: "
            "test all models on the same split"
        )
    if unlike := np.flatnonzero(first.labels != other.labels).tolist():
        names = "; ".join("/".join(first.names[index]) for index in unlike[:_TOLD])
        raise ValueError(
            f"{other_place}: labels must be those of {place}, got {len(unlike):,} others ({names})"
        )


def _uncertainty(cases: Cases, task: str) -> dict[str, Floats]:
    """Collect the kinds of uncertainty that all images have; of a case the highest counts."""
    rows = [row.pred_uncertainty.get(task, {}) for member in cases.members for row in member]
    kinds = [kind for kind in rows[0] if all(kind in row for row in rows)]
    groups = group_by(np.repeat(np.arange(len(cases.members)), [len(m) for m in cases.members]))
    return {
        kind: np.maximum.reduceat([float(row[kind]) for row in rows], groups.starts)
        for kind in kinds
    }
