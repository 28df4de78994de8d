"""Clinical variables and labels of patients, from annotations or from a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mammography.apis.clinical.columns import is_missing, names_of
from mammography.apis.config import UsageError
from mammography.structures.annotation import read_annotations
from mammography.terms import TaskKind

_ID = "patient_id"


@dataclass(frozen=True, eq=False)
class Patients:
    """What is known of patients beside their images.

    Attributes:
        table: Clinical variables, a row per patient, the index is ``patient_id``.
        labels: Patient to 0 or 1; those without a label are left out.
    """

    table: pd.DataFrame
    labels: Mapping[str, float]


def read_annotation_patients(paths: Sequence[Path], task: str) -> Patients:
    """Read the clinical variables and labels of annotation files.

    A patient is positive if one of her images is.

    Args:
        paths: Annotation files, as ``tools/prepare_dataset.py`` writes them.
        task: Binary task that is the outcome.

    Raises:
        UsageError: If the task is no binary one, an image has no patient, or images of one
            patient tell different values of a variable.
    """
    rows: dict[str, dict[str, Any]] = {}
    labels: dict[str, float] = {}
    for path in paths:
        annotations = read_annotations(path)
        known = annotations.tasks.get(task)
        if known is None or known.kind is not TaskKind.BINARY:
            binary = [one.name for one in annotations.tasks.values() if one.kind == TaskKind.BINARY]
            raise UsageError(
                f"{path}: --task must be a binary task ({', '.join(binary) or 'none'}), got {task}"
            )
        for record in annotations.records:
            if not record.patient_id:
                raise UsageError(f"{path}: every image must have a patient_id: {record.img_path}")
            _merge(path, rows.setdefault(record.patient_id, {}), record.clinic_vars, record)
            if task in record.gt_label:
                label = record.gt_label[task]
                labels[record.patient_id] = max(labels.get(record.patient_id, 0.0), label)
    table = pd.DataFrame.from_dict(rows, orient="index").astype(object)
    return Patients(_tidy(table), labels)


def _merge(path: Path, row: dict[str, Any], more: Mapping[str, Any], record: Any) -> None:
    for name, value in more.items():
        if value is None:
            continue
        if row.setdefault(name, value) != value:
            raise UsageError(
                f"{path}: clinic_vars: {name} must be the same in all images of a patient, got "
                f"{row[name]!r} and {value!r} of {record.patient_id}: give the values by "
                "--table, or leave it out of the annotations"
            )


def read_table_patients(path: Path, task: str) -> Patients:
    """Read the clinical variables of a CSV table with a column ``patient_id``.

    A column with the name of the task holds the labels, if there is one.

    Args:
        path: The table; an empty cell is a missing value.
        task: Binary task that is the outcome.

    Raises:
        UsageError: If the table lacks ``patient_id``, or tells a patient twice, or a label is
            no 0 or 1.
    """
    try:
        table = pd.read_csv(path, dtype={_ID: str})
    except (OSError, ValueError) as error:
        raise UsageError(f"--table {path} must be a CSV file: {error}") from error
    if _ID not in table or table[_ID].isna().any():
        raise UsageError(f"--table {path}: every row must have a {_ID}")
    if not table[_ID].is_unique:
        twice = table[_ID][table[_ID].duplicated()].iloc[0]
        raise UsageError(f"--table {path}: a patient must have one row, got more of {twice}")
    table = table.set_index(_ID)
    labels: dict[str, float] = {}
    if task in table:
        found = table.pop(task).dropna()
        if not found.isin((0, 1)).all():
            raise UsageError(f"--table {path}: {task} must be 0 or 1")
        labels = {str(patient): float(label) for patient, label in found.items()}
    return Patients(_tidy(table.astype(object)), labels)


def join_patients(first: Patients, second: Patients | None) -> Patients:
    """Add what a table tells of the same patients; its labels win.

    Raises:
        UsageError: If both tell the same variable.
    """
    if second is None:
        return first
    if twice := sorted({*names_of(first.table)} & {*names_of(second.table)}):
        raise UsageError(
            f"--table: {twice[0]} must be told once, got it in the annotations too: take the "
            "column out of the table"
        )
    table = first.table.join(second.table, how="outer")
    return Patients(table, {**first.labels, **second.labels})


def _tidy(table: pd.DataFrame) -> pd.DataFrame:
    table.index = table.index.map(str)
    missing = [[is_missing(value) for value in row] for row in table.to_numpy()]
    return table.mask(pd.DataFrame(missing, table.index, table.columns)) if missing else table
