"""INbreast: digital mammograms with BI-RADS per image and precise outlines."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_tables.inbreast_files import FOLDER, ImageFiles
from mammography.preparation.source_tables.inbreast_images import Image, read_images
from mammography.preparation.source_tables.inbreast_rois import KINDS, Outlines, presence
from mammography.preparation.source_tables.listing import Listing
from mammography.preparation.tables import Row
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.task import Task
from mammography.terms import ImageKind, Level

LEVEL = Level.IMAGE
PUBLIC = True
FILE_OPTIONS = ("table",)
DEFAULT_TASKS = ("suspicious:binary", "birads:ordinal=1,2,3,4,5,6", "density:ordinal=A,B,C,D")

_OUTCOMES = ("suspicious", "birads", "density", *dict.fromkeys(KINDS.values()))
_UNKNOWN_PATIENT = "images of unknown patients, each counted as a patient of its own"
_BIRADS_3 = {"negative": 0, "positive": 1, "missing": None}

logger = logging.getLogger(__name__)


def read_records(
    root: Path, tasks: dict[str, Task], *, table: str = "", birads_3: str = "negative"
) -> Iterator[ImageRecord]:
    """Read one record per row.

    An image without a file keeps a path by which the preparation rejects it.

    Args:
        root: Folder of the release: ``INbreast.csv``, ``AllDICOMs`` and ``AllXML``.
        tasks: Some of ``suspicious``, ``birads``, ``density``, ``mass``,
            ``calcification``, ``asymmetry`` and ``distortion``.
        table: The table if it has another name; relative to ``root``.
        birads_3: What ``suspicious`` is for BI-RADS 3: ``negative``, ``positive`` or
            ``missing``.

    Raises:
        TableError: If the table cannot be read, or with the list of its bad cells and
            damaged outlines.
        ValueError: If a task or option is unknown, or an image has two files.
    """
    contents = read_contents(root, tasks, table, birads_3)
    contents.check()
    for what, count in contents.facts["notes"].items():
        logger.warning("source inbreast: %s: %d", what, count)
    yield from contents.records


def read_contents(
    root: Path, tasks: dict[str, Task], table: str = "", birads_3: str = "negative"
) -> Contents:
    """Read the table, the outlines, and the names of the files, which tell the patients."""
    check_task_names("inbreast", tasks, _OUTCOMES)
    check_choice("inbreast", "birads_3", birads_3, _BIRADS_3)
    listed, files, outlines = read_images(root, table), ImageFiles.find(root), Outlines(root)
    notes: Counter[str] = Counter()
    records = []
    exams = _exams(listed.items, files)
    for image in listed.items:
        before = len(outlines.problems.found)
        findings = outlines.read(image.number)
        if findings is None and image.birads == "1" and outlines.exist:
            findings = ()  # Normal images have no file.
        if not _agrees(image, files, listed) or len(outlines.problems.found) > before:
            continue
        if image.number not in files.files:
            notes[f"images without a file in {FOLDER}"] += 1
        patient = _patient(image, files)
        if patient is None:
            notes[_UNKNOWN_PATIENT] += 1
        if findings is None:
            notes["images whose findings are unknown for want of outlines"] += 1
        records.append(
            ImageRecord(
                img_path=files.path(image.number),
                patient_id=patient or f"image {image.number}",
                exam_id=exams.get(image.number),
                laterality=image.laterality,
                view_position=image.view_position,
                image_kind=ImageKind.MAMMOGRAM,
                gt_label=_labels(image, findings, tasks, _BIRADS_3[birads_3]),
                clinic_vars={} if image.age_years is None else {"age_years": image.age_years},
                findings=findings or (),
            )
        )
    surplus = len(files.files.keys() - {image.number for image in listed.items})
    notes["files of images that the table does not list, left out"] += surplus
    notes["DICOM files with a name of another form, left out"] += files.others
    labels = Counter(finding.label for record in records for finding in record.findings)
    return Contents(
        rows=listed.rows,
        records=tuple(records),
        problems=(listed.problems, outlines.problems),
        facts={"notes": dict(+notes), "findings_by_label": dict(sorted(labels.items()))},
    )


def _agrees(image: Image, files: ImageFiles, listed: Listing[Image]) -> bool:
    """Compare the side with that of the name of the file, and note if they differ."""
    file = files.files.get(image.number)
    if file is None or file.laterality is image.laterality:
        return True
    rule = f"be {file.laterality} as the name of the file says"
    listed.problems.add(Row(image.place, {}), "Laterality", rule, image.laterality.value)
    return False


def _patient(image: Image, files: ImageFiles) -> str | None:
    """Return who it is, by the name of the file, else by the table."""
    file = files.files.get(image.number)
    return file.patient_id if file else image.patient_id


def _exams(images: Iterable[Image], files: ImageFiles) -> dict[str, str]:
    """Number the exams of each patient; the number tells their order, and no date."""
    periods: dict[str, set[str]] = {}
    dated = [
        (image.number, patient, image.period)
        for image in images
        if (patient := _patient(image, files)) and image.period
    ]
    for _, patient, period in dated:
        periods.setdefault(patient, set()).add(period)
    return {
        number: str(1 + sorted(periods[patient]).index(period)) for number, patient, period in dated
    }


def _labels(
    image: Image, findings: tuple[Finding, ...] | None, tasks: dict[str, Task], birads_3: int | None
) -> dict[str, float]:
    grade, letter = image.birads[0], image.birads
    known: dict[str, Any] = {
        "suspicious": birads_3 if grade == "3" else int(grade > "3"),
        # A task that has classes for 4a to 4c keeps them apart.
        "birads": letter if "birads" in tasks and letter in tasks["birads"].classes else grade,
        "density": image.density,
    } | ({} if findings is None else presence(findings))
    return encode_labels(tasks, known)
