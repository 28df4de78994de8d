"""What networks say of the images of each patient, as columns of a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mammography.apis.clinical.provenance import check_out_of_fold
from mammography.apis.config import UsageError
from mammography.apis.features import read_features
from mammography.functional.aggregation import group_by, pool_labels, pool_scores
from mammography.functional.metrics import SMALLEST_PROBABILITY
from mammography.structures.folds import Folds
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, row_level
from mammography.structures.task import Task
from mammography.terms import Level, TaskKind

Floats = NDArray[np.float64]
Pooling = Literal["mean", "max"]
FEATURE_SUFFIXES = (".npz",)


@dataclass(frozen=True, eq=False)
class ImageTable:
    """Columns from images, a row per patient.

    Attributes:
        table_of: Outer fold to the rows that it may see; the same for all unless the folds are
            those of a cross-validation of the network.
        patients: Those that every fold has a row of.
        columns: Names of the columns.
        labels: Patient to label of the task, where the dumps have it.
        folds: Of the cross-validation, if there was one with inner folds.
        told: How it came about, in words.
    """

    table_of: Callable[[int], pd.DataFrame]
    patients: frozenset[str]
    columns: tuple[str, ...]
    labels: Mapping[str, float]
    folds: Folds | None = None
    told: tuple[str, ...] = field(default=())


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of one or more dumps: images, or exams that were scored as a whole.

    Attributes:
        patients: ``(N,)``.
        columns: Name to values, ``(N,)``.
        labels: Of the task, ``(N,)``, NaN where there is none.
        told: How they came about.
        level: What one row is.
    """

    patients: list[str]
    columns: dict[str, Floats]
    labels: Floats
    told: tuple[str, ...]
    level: Level


def read_images(
    paths: Sequence[Path],
    task: str,
    *,
    pooling: Pooling = "mean",
    allow_in_fold: bool = False,
    features: bool = False,
) -> ImageTable:
    """Read what images say, and pool the images of each patient.

    Of a folder of a cross-validation with inner folds, the rows of a fold are nested: patients that
    train its fusion have what the network said that validated on them, and those that test it
    the mean of the networks of that fold; none of these networks saw a test patient. Columns are
    the log odds (binary), the log probabilities (classes) or values (regression) of every task
    that was predicted, or the features.

    Args:
        paths: A folder of ``tools/cross_validate.py``, or dumps of predictions (JSON, pickle) or
            of features (NPZ).
        task: Task whose labels are read.
        pooling: ``mean`` or ``max`` over the images (exams) of a patient, column by column.
        allow_in_fold: Whether to read what networks say of patients they trained on.
        features: Whether to read the features of a folder, not the predictions.

    Raises:
        InFoldError: If they do and may not.
        UsageError: If there is no such file, or it holds other things.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return _of_folder(paths[0], task, pooling, "npz" if features else "json")
    rows = _join([_read(path, task, allow_in_fold) for path in paths])
    table, labels = _pool(rows, pooling)
    return ImageTable(
        lambda _: table,
        frozenset(table.index),
        tuple(table.columns),
        labels,
        told=(*rows.told, _pooled(pooling, rows.level)),
    )


def _of_folder(folder: Path, task: str, pooling: Pooling, suffix: str) -> ImageTable:
    name = "features.npz" if suffix == "npz" else "predictions.json"
    outer = _read(folder / name, task, allow_in_fold=False)
    tested, labels = _pool(outer, pooling)
    folds = Folds.from_json(_info(folder / name)["folds"])
    count, inner = folds.shape
    if inner < 2:
        told = "the network has no inner folds: other folds' networks saw the patients of a fold"
        return ImageTable(
            lambda _: tested,
            frozenset(tested.index),
            tuple(tested.columns),
            labels,
            told=(*outer.told, told, _pooled(pooling, outer.level)),
        )
    tables = []
    for i in range(count):
        rows = _read(folder / "inner" / f"outer{i}.{suffix}", task, allow_in_fold=False)
        own = tested[[folds.outer[str(patient)] == i for patient in tested.index]]
        tables.append(pd.concat([_pool(rows, pooling)[0], own]))
    patients = frozenset.intersection(*(frozenset(table.index) for table in tables))
    told = (
        "nested: a fusion trains on what networks said that validated on the patient and did not "
        "see its test fold"
    )
    return ImageTable(
        lambda i: tables[i],
        patients,
        tuple(tested.columns),
        labels,
        folds,
        (*outer.told, told, _pooled(pooling, outer.level)),
    )


def _pooled(pooling: Pooling, level: Level) -> str:
    if level is Level.PATIENT:
        return "one row for each patient, who was scored as a whole"
    return f"{pooling} over the {level}s of a patient, column by column"


def _given(info: Mapping[str, Any]) -> tuple[str, ...]:
    """Say if what a network says is not that of images alone."""
    if not (names := info.get("clinic_vars")):
        return ()
    return (
        f"CAUTION: the network itself was given {', '.join(names)}: what mammo reaches, and what "
        "it adds to clinical, is not due to images alone",
    )


def _info(path: Path) -> dict[str, Any]:
    return read_features(path).info if path.suffix in FEATURE_SUFFIXES else read_dump(path).info


def _read(path: Path, task: str, allow_in_fold: bool) -> _Rows:
    if not path.is_file():
        raise UsageError(f"{path} does not exist: run tools/cross_validate.py or tools/test.py")
    if path.suffix in FEATURE_SUFFIXES:
        return _features(path, task, allow_in_fold)
    try:
        dump = read_dump(path)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} must hold predictions: {error}") from error
    patients = _known(path, [record.patient_id or "" for record in dump.records])
    splits = [record.split or "" for record in dump.records]
    told = _show(path, allow_in_fold, dump.info, patients, splits, ())
    columns = {
        name: values
        for one in dump.tasks.values()
        for name, values in _columns(path, dump.records, one).items()
    }
    told_all = (told, *_given(dump.info))
    return _Rows(patients, columns, _labels(dump, task), told_all, row_level(dump.info))


def _features(path: Path, task: str, allow_in_fold: bool) -> _Rows:
    found = read_features(path)
    patients = _known(path, [str(name) for name in found.names["patient_id"]])
    splits = [str(name) for name in found.names.get("split", [""] * len(patients))]
    models = [str(name) for name in found.models] if any(found.models) else []
    told = [_show(path, allow_in_fold, found.info, patients, splits, models), *_given(found.info)]
    if len(set(models)) > 1:
        told.append(
            f"CAUTION: features of {len(set(models))} networks were put into the same columns: "
            "they mean the same only if the networks share a frozen backbone; predictions always do"
        )
    columns = {
        f"feature{i}": found.values[:, i].astype(float) for i in range(found.values.shape[1])
    }
    labels = found.labels.get(task, np.full(len(patients), np.nan))
    return _Rows(patients, columns, labels, tuple(told), row_level(found.info))


def _show(path: Path, allow_in_fold: bool, *evidence: Any) -> str:
    try:
        return check_out_of_fold(path, *evidence)
    except UsageError as error:
        if not allow_in_fold:
            raise
        return f"CAUTION, allowed on request: {error}"


def _known(path: Path, patients: list[str]) -> list[str]:
    if absent := sum(not patient for patient in patients):
        raise UsageError(f"{path}: every image must have a patient_id, got {absent} without")
    return patients


def _labels(dump: Dump, task: str) -> Floats:
    return np.array([record.gt_label.get(task, np.nan) for record in dump.records], dtype=float)


def _columns(path: Path, records: Sequence[PredictionRecord], task: Task) -> dict[str, Floats]:
    """Return the output of a network for a task as it was before the sigmoid or softmax."""
    try:
        scores = np.array([record.pred_score[task.name] for record in records], dtype=float)
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"{path}: every image must have a score of {task.name}: {error}"
        ) from error
    if not np.isfinite(scores).all():
        raise UsageError(f"{path}: scores of {task.name} must be finite")
    if task.kind is TaskKind.REGRESSION:
        return {task.name: scores}
    share = scores.clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    if task.kind is TaskKind.BINARY:
        return {task.name: np.log(share / (1 - share))}
    return {f"{task.name}={name}": np.log(share[:, k]) for k, name in enumerate(task.classes)}


def _join(parts: Sequence[_Rows]) -> _Rows:
    names = list(parts[0].columns)
    if any(list(part.columns) != names for part in parts):
        raise UsageError("--images: all dumps must hold the same columns: name one at a time")
    if len(levels := sorted({part.level for part in parts})) > 1:
        raise UsageError(
            f"--images: rows of all dumps must be of one level, got {' and '.join(levels)}: name "
            "one at a time"
        )
    return _Rows(
        [patient for part in parts for patient in part.patients],
        {name: np.concatenate([part.columns[name] for part in parts]) for name in names},
        np.concatenate([part.labels for part in parts]),
        tuple(dict.fromkeys(text for part in parts for text in part.told)),
        parts[0].level,
    )


def _pool(rows: _Rows, pooling: Pooling) -> tuple[pd.DataFrame, dict[str, float]]:
    groups = group_by(rows.patients)
    names = [rows.patients[i] for i in groups.first]
    values = pool_scores(np.stack(list(rows.columns.values()), axis=1), groups, pooling)
    labels = pool_labels(rows.labels, groups)
    table = pd.DataFrame(values, index=names, columns=list(rows.columns))
    known = {n: float(v) for n, v in zip(names, labels, strict=True) if not np.isnan(v)}
    return table, known
