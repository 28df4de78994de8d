"""DoSReMC: the tables of the published system on domain shift, one per hospital and split."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mammography.preparation.contents import Contents
from mammography.preparation.source_tables.dosremc_images import Dosremc
from mammography.preparation.source_tables.split_tables import refuse_two_splits
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.BREAST
PUBLIC = False
FILE_OPTIONS = ("images",)
DEFAULT_TASKS = ("malignant:binary", "benign:binary")  # The two outputs of the system.


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    hospitals: tuple[str, ...] = (),
    images: str = "",
    patient_pattern: str = "",
    breast_is_patient: bool = False,
    labels_of: str = "breast",
    official_split: bool = True,
) -> Iterator[ImageRecord]:
    """Read one record per row.

    Args:
        root: Folder of a hospital with its tables ``train``, ``val`` and ``test`` (or
            ``training``, ``validation``), or of several such folders.
        tasks: Some of ``malignant`` and ``benign``.
        hospitals: Which folders; by default all that hold tables.
        images: Where relative paths of images start, if not at ``root``.
        patient_pattern: Regular expression for the whole BreastID, with one group: the
            patient. For tables without a column PatientID.
        breast_is_patient: Whether every breast counts as a patient of its own.
        labels_of: ``breast``: all views have the labels of their breast, which are those of
            any of its rows; ``image``: each view has those of its row.
        official_split: Whether the split of the tables is kept.

    Raises:
        TableError: If a table is absent or unreadable, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, the patient is not known, or a breast
            or a patient is in two splits.
    """
    source = Dosremc(
        root, tasks, hospitals, images, patient_pattern, breast_is_patient, labels_of,
        official_split,
    )  # fmt: skip
    contents = source.contents()
    contents.check()
    if official_split:
        refuse_two_splits("dosremc", "a BreastID", source.breasts_in_two)
        refuse_two_splits("dosremc", "a patient", source.patients_in_two)
    yield from contents.records


def read_contents(root: Path, tasks: dict[str, Task], **options: Any) -> Contents:
    """Read what the tables say; the options are those of :func:`read_records`."""
    return Dosremc(root, tasks, **options).contents()
