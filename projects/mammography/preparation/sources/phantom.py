"""Synthetic exams, drawn on the first use and written as DICOM files."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mammography.functional.phantom_study import PhantomStudy
from mammography.functional.phantom_vendor import VENDORS
from mammography.preparation.contents import Contents, check_task_names
from mammography.preparation.phantom_files import PhantomFile, plan_files, write_study
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.BREAST
PUBLIC = True
DEFAULT_TASKS = (
    "malignant:binary",
    "density:ordinal=A,B,C,D",
    "birads:ordinal=1,2,3,4,5",
    "mass_size_mm:regression",
)

_OUTCOMES = ("malignant", "density", "birads", "mass_size_mm", "age_years")


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    patients: int = 60,
    seed: int = 0,
    image_size_hw: tuple[int | str, ...] = (1024, 832),
    vendors: tuple[str, ...] = tuple(VENDORS),
    prevalence: float = 0.3,
    benign_rate: float = 0.35,
    calcification_rate: float = 0.35,
    lesion_contrast: float = 1.0,
    clinical_effect: float = 1.0,
    bilateral_rate: float = 0.03,
    missing_view_rate: float = 0.05,
    workers: int = 0,
) -> Iterator[ImageRecord]:
    """Draw what is missing of a study, then read one record per image.

    A study that was interrupted is finished; one that is there already is only read.
    With more ``patients`` than before, the new ones are added.

    Args:
        root: Folder of the study; made when there is none.
        tasks: Some of ``malignant``, ``density``, ``birads``, ``mass_size_mm`` and
            ``age_years``.
        patients: How many.
        seed: Decides everything else.
        image_size_hw: Rows and columns; two makers have other pixel sizes and thus other
            numbers of them.
        vendors: Some of alpha, beryl, cobalt, delta.
        prevalence: Share of patients with cancer.
        benign_rate: Share of breasts with a benign lesion.
        calcification_rate: Share of lesions that are calcifications.
        lesion_contrast: Factor on how bright lesions are.
        clinical_effect: Factor on how much clinical variables tell.
        bilateral_rate: Share of patients with cancer who have it in both breasts.
        missing_view_rate: Share of exams that lack one of the four views.
        workers: Processes that draw; 0 takes one per core.

    Raises:
        ValueError: If a task or option is unknown, or ``root`` holds another study.
    """
    study = PhantomStudy(
        patients=patients,
        seed=seed,
        image_size_hw=_pair(image_size_hw),
        vendors=vendors,
        prevalence=prevalence,
        benign_rate=benign_rate,
        calcification_rate=calcification_rate,
        lesion_contrast=lesion_contrast,
        clinical_effect=clinical_effect,
        bilateral_rate=bilateral_rate,
        missing_view_rate=missing_view_rate,
    )
    check_task_names("phantom", tasks, _OUTCOMES)
    write_study(root, study, workers)
    return (_record(file, tasks) for file in plan_files(study))


def read_contents(root: Path, tasks: dict[str, Task], **options: Any) -> Contents:
    """Plan a study without drawing it; the options are those of :func:`read_records`."""
    check_task_names("phantom", tasks, _OUTCOMES)
    plan = {name: value for name, value in options.items() if name != "workers"}
    if "image_size_hw" in plan:
        plan["image_size_hw"] = _pair(plan["image_size_hw"])
    records = tuple(_record(file, tasks) for file in plan_files(PhantomStudy(**plan)))
    return Contents(len(records), records)


def _pair(values: tuple[int | str, ...]) -> tuple[int, int]:
    """Read a size that may come from the command line as text."""
    try:
        height, width = (int(value) for value in values)
    except ValueError:
        raise ValueError(
            f"source phantom: image_size_hw must be two numbers, HEIGHT,WIDTH, got {values}"
        ) from None
    return height, width


def _record(file: PhantomFile, tasks: dict[str, Task]) -> ImageRecord:
    clinical, person = file.patient.clinical, file.person
    values = file.patient.labels(file.laterality) | {"age_years": clinical["age_years"]}
    return ImageRecord(
        img_path=file.path,
        patient_id=person.patient_id,
        exam_id=person.study_uid,
        laterality=file.laterality,
        view_position=file.view_position,
        manufacturer=file.study.look(file.patient).manufacturer,
        gt_label={
            name: task.encode(values[name]) for name, task in tasks.items() if name in values
        },
        clinic_vars=dict(clinical),
        findings=file.findings(),
    )
