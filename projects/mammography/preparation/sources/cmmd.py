"""CMMD: digital mammograms of biopsied breasts, from its clinical table."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mammography.preparation.contents import Contents, check_task_names, encode_labels
from mammography.preparation.headers.peek import peek
from mammography.preparation.source_tables.cmmd_breasts import Breast, read_breasts
from mammography.preparation.source_tables.tcia import TciaDownload
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Laterality, Level

LEVEL = Level.BREAST
PUBLIC = True
FILE_OPTIONS = ("table",)
DEFAULT_TASKS = (
    "malignant:binary",
    "abnormality:multiclass=mass,calcification,both",
    "subtype:multiclass=Luminal A,Luminal B,HER2-enriched,triple negative",
)

_OUTCOMES = ("malignant", "abnormality", "subtype", "age_years")
_SIDES = ("ImageLaterality", "Laterality")

logger = logging.getLogger(__name__)


def read_records(
    root: Path, tasks: dict[str, Task], *, table: str = "", unlisted: bool = False
) -> Iterator[ImageRecord]:
    """Read one record per image of a listed breast.

    Images do not stand in the table: they lie in the folder of the patient, and their
    header tells the side. A listed breast without image gives a record with the path
    ``PATIENT/SIDE``, by which the preparation rejects it.

    Args:
        root: Folder that holds the folders of the patients, at any depth.
        tasks: Some of ``malignant``, ``abnormality``, ``subtype`` and ``age_years``.
        table: The clinical table if it does not lie in ``root``; relative to it.
        unlisted: Whether images of the other breast, which the table does not list, are
            prepared as well, without labels.

    Raises:
        TableError: If the table cannot be read, or with the list of its bad cells.
        ValueError: If a task is unknown, or two downloads lie below ``root``.
    """
    check_task_names("cmmd", tasks, _OUTCOMES)
    listed = read_breasts(root, table)
    listed.problems.check()
    patients: dict[str, dict[Laterality, Breast]] = {}
    for breast in listed.items:
        patients.setdefault(breast.patient_id, {})[breast.laterality] = breast
    download = TciaDownload(root, patients)
    odd: Counter[str] = Counter()
    for patient, breasts in patients.items():
        yield from _patient(root, download.files_of(patient), breasts, tasks, unlisted, odd)
    for what, count in odd.items():
        logger.warning("source cmmd: %s: %d", what, count)


def read_contents(
    root: Path, tasks: dict[str, Task], table: str = "", unlisted: bool = False
) -> Contents:
    """Read what the table says: as many images of each breast as it tells.

    ``unlisted`` changes nothing here: the table does not know of them.
    """
    del unlisted
    check_task_names("cmmd", tasks, _OUTCOMES)
    listed = read_breasts(root, table)
    return Contents(
        rows=listed.rows,
        records=tuple(
            _record(breast, tasks, f"{breast.patient_id}/{breast.laterality}/{number}")
            for breast in listed.items
            for number in range(breast.images)
        ),
        problems=(listed.problems,),
        facts={
            "breasts_by": {
                name: dict(Counter(getattr(breast, name) or "none" for breast in listed.items))
                for name in ("classification", "abnormality", "subtype")
            }
        },
    )


def _record(breast: Breast, tasks: dict[str, Task], path: str) -> ImageRecord:
    known = breast.values
    return ImageRecord(
        img_path=path,
        patient_id=breast.patient_id,
        exam_id=breast.patient_id,  # Each patient has one.
        laterality=breast.laterality,
        gt_label=encode_labels(tasks, known),
        clinic_vars={name: value for name, value in known.items() if name == "age_years"},
    )


def _patient(
    root: Path,
    files: list[Path],
    breasts: dict[Laterality, Breast],
    tasks: dict[str, Task],
    unlisted: bool,
    odd: Counter[str],
) -> Iterator[ImageRecord]:
    """Yield the images of a patient and count what is odd."""
    sides = _sides(files, breasts)
    counts = Counter(sides.values())
    patient = next(iter(breasts.values())).patient_id
    for side, breast in breasts.items():
        if counts[side] != breast.images:
            odd["breasts with another number of images than the table says"] += 1
        if not counts[side]:
            yield _record(breast, tasks, f"{patient}/{side}")
    for file, found in sides.items():
        path = file.relative_to(root).as_posix()
        if found in breasts:
            yield _record(breasts[found], tasks, path)
        elif unlisted or found is None:
            yield ImageRecord(path, patient, exam_id=patient, laterality=found)
        else:
            odd["images of a breast that the table does not list, left out"] += 1


def _sides(files: list[Path], breasts: dict[Laterality, Breast]) -> dict[Path, Laterality | None]:
    """Tell the side of every file: by its header, or since only one is possible."""
    sides = {file: _side(file) for file in files}
    only = next(iter(breasts.values()))
    if not any(sides.values()) and len(breasts) == 1 and len(files) == only.images:
        return dict.fromkeys(files, only.laterality)
    return sides


def _side(file: Path) -> Laterality | None:
    """Read the side that a header states; a damaged file is left to the preparation."""
    header = peek(file, _SIDES)
    words = [str(header.get(name, "")).strip().upper() for name in _SIDES]
    return next((Laterality(word) for word in words if word in tuple(Laterality)), None)
