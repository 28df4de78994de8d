"""MammographyAI: the tables of the published system, one per split, of equalised pictures."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mammography.preparation.contents import Contents, check_task_names
from mammography.preparation.source_tables.mammography_ai_rows import RowReader
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.preparation.source_tables.patient_rule import choose_patient_rule, count_alike
from mammography.preparation.source_tables.split_tables import (
    all_or_none,
    named_split_tables,
    path_from,
    patients_in_two_splits,
    refuse_two_splits,
)
from mammography.preparation.tables import check_columns, read_table
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level, Split

LEVEL = Level.IMAGE
PUBLIC = False
FILE_OPTIONS = ("train", "val", "test", "images")
DEFAULT_TASKS = ("malignant:binary", "density:ordinal=A,B,C,D")

_OUTCOMES = ("malignant", "density")
_NEEDED = ("path_eq", "cancer", "datasettype")


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    train: str = "",
    val: str = "",
    test: str = "",
    images: str = "",
    patient_pattern: str = "",
    image_is_patient: bool = False,
    ethnicity: bool = False,
    official_split: bool = True,
) -> Iterator[ImageRecord]:
    """Read one record per row.

    Args:
        root: Folder that the tables, and by default the images, are relative to.
        tasks: Some of ``malignant`` and ``density``.
        train: Table of the training part; without any name the tables ``train``, ``valid``
            (or ``val``, ``validation``) and ``test`` of the root are read.
        val: Table of the validation part.
        test: Table of the test part.
        images: Where relative paths of images start, if not at ``root``.
        patient_pattern: Regular expression for the whole path, with one group, the patient,
            or with groups called ``patient``, ``laterality``, ``view_position``.
        image_is_patient: Whether every image counts as a patient of its own.
        ethnicity: Whether the group of ``ETHNICITY_DESC`` is carried as a clinical variable.
        official_split: Whether the split of the tables is kept.

    Raises:
        TableError: If a table is absent or unreadable, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, the patient is not known, or a patient
            is in two splits.
    """
    contents = read_contents(
        root, tasks, train, val, test, images, patient_pattern, image_is_patient, ethnicity,
        official_split,
    )  # fmt: skip
    contents.check()
    refuse_two_splits("mammography_ai", "a patient", patients_in_two_splits(contents.records))
    yield from contents.records


def read_contents(
    root: Path,
    tasks: dict[str, Task],
    train: str = "",
    val: str = "",
    test: str = "",
    images: str = "",
    patient_pattern: str = "",
    image_is_patient: bool = False,
    ethnicity: bool = False,
    official_split: bool = True,
) -> Contents:
    """Read what the tables say; the options are those of :func:`read_records`."""
    check_task_names("mammography_ai", tasks, _OUTCOMES)
    paths = named_split_tables(root, {Split.TRAIN: train, Split.VAL: val, Split.TEST: test})
    pattern = NamePattern(patient_pattern) if patient_pattern else None
    tables = {split: read_table(path) for split, path in paths.items()}
    for split, (columns, _) in tables.items():
        check_columns(paths[split], columns, [*_NEEDED, *(["ETHNICITY_DESC"] if ethnicity else [])])
    told = {paths[split].name: "patient_id" in columns for split, (columns, _) in tables.items()}
    has_patients = all_or_none(root, "patient_id", told)
    patients_are = choose_patient_rule(
        "mammography_ai", "image", "patient_id" if has_patients else "", pattern, image_is_patient
    )
    reader = RowReader(path_from(root, images), tasks, pattern, patients_are, ethnicity)
    records: list[ImageRecord] = []
    problems = []
    for split, (_, rows) in tables.items():
        records += reader.read(paths[split].name, rows, split if official_split else None)
        problems.append(reader.problems)
    return Contents(
        rows=sum(len(rows) for _, rows in tables.values()),
        records=tuple(records),
        problems=tuple(problems),
        facts={
            "rows_by_table": {paths[split].name: len(rows) for split, (_, rows) in tables.items()},
            "images_by_dataset": dict(Counter(r.clinic_vars["datasettype"] for r in records)),
            "patients_in_two_splits": patients_in_two_splits(records),
            "patients_are": patients_are,
            "patients_alike": count_alike("mammography_ai", {str(r.patient_id) for r in records}),
        },
    )
