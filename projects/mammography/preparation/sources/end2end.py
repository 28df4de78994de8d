"""End2end: the files of the published patch-to-whole-image classifier and of its port."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mammography.preparation.contents import Contents
from mammography.preparation.source_tables.end2end_images import End2End
from mammography.preparation.source_tables.split_tables import refuse_two_splits
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.IMAGE
PUBLIC = False
FILE_OPTIONS = ("images", "masks", "table")
DEFAULT_TASKS = ("malignant:binary",)

_LISTED = 20


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    form: str = "auto",
    images: str = "",
    masks: str = "",
    table: str = "",
    label_column: str = "",
    patient_pattern: str = "",
    image_is_patient: bool = False,
    unlisted: str = "refuse",
    official_split: bool = True,
) -> Iterator[ImageRecord]:
    """Read one record per picture.

    Args:
        root: Folder of the lists, of the folders or of the table of lesions.
        tasks: Some of ``malignant`` and, where ``pat_side_cancer.csv`` is,
            ``breast_malignant``.
        form: ``lists`` (``train.csv``, ``validation.csv``, ``test.csv`` of the port),
            ``folders`` (``SPLIT/neg``, ``SPLIT/pos``), ``lesions`` (``roi_mask_path.csv``
            and full images), or ``auto``: the one that is there.
        images: Folder of the pictures: where relative paths of lists start, where the
            folders of the splits lie (both by default ``root``), or where the full images
            lie (by default ``full_img_png``).
        masks: Folder of the masks of lesions; by default ``roi_mask_png``.
        table: Table of lesions, if it is not ``roi_mask_path``.
        label_column: Column of the label, if it is not ``label`` or ``labels`` and the list
            has more than two columns.
        patient_pattern: Regular expression for the whole path, with one group, the patient,
            or with groups called ``patient``, ``laterality``, ``view_position``; by default
            ``PATIENT_SIDE_VIEW`` with any suffix.
        image_is_patient: Whether every picture counts as a patient of its own.
        unlisted: What becomes of patients of the table whom none of the lists
            ``pat_train.txt`` and so on has: ``refuse`` to prepare anything, ``drop`` them,
            or put them into ``train``, ``val`` or ``test``.
        official_split: Whether the split of the source is kept.

    Raises:
        TableError: If a table is absent or unreadable, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, files of several forms are there, or
            a patient is in two splits or in none.
    """
    source = End2End(
        root, tasks, form, images, masks, table, label_column, patient_pattern,
        image_is_patient, unlisted, official_split,
    )  # fmt: skip
    contents = source.contents()
    contents.check()
    if official_split:
        refuse_two_splits("end2end", "a patient", source.patients_in_two)
    if source.chosen_form == "lesions" and unlisted == "refuse":
        _refuse_unlisted(source.films.in_no_list)
    yield from contents.records


def read_contents(root: Path, tasks: dict[str, Task], **options: Any) -> Contents:
    """Read what tables and names of files say; the options are those of :func:`read_records`."""
    return End2End(root, tasks, **options).contents()


def _refuse_unlisted(patients: list[str]) -> None:
    if patients:
        more = f" and {len(patients) - _LISTED} more" if len(patients) > _LISTED else ""
        raise ValueError(
            "source end2end: every patient must be in a list, such as pat_train.txt, got "
            f"{len(patients)} in none: {', '.join(patients[:_LISTED])}{more}: say what becomes "
            "of them with --source-options unlisted=test (or train, val, drop), or split anew "
            "with official_split=false"
        )
