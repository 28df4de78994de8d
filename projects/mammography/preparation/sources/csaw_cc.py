"""CSAW-CC: screening exams of women with and without breast cancer, from its table."""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_record import FindingMask, SourceRecord
from mammography.preparation.source_tables.csaw_cc_images import (
    CONTROL,
    HEALTHY,
    INTERVAL,
    MEASURES,
    PRIOR,
    SCREEN_DETECTED,
    SITUATIONS,
    Image,
    find_files,
    read_images,
)
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.BREAST
FILE_OPTIONS = ("table",)
DEFAULT_TASKS = ("malignant:binary", "percent_density:regression")

logger = logging.getLogger(__name__)

_LABELS = {"positive": 1, "negative": 0, "unlabelled": None}
_OF_THE_CANCER = ("cancer_type", "node_metastasis")
_OUTCOMES = ("malignant", *_OF_THE_CANCER, "recall", *MEASURES)


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    table: str = "",
    interval: str = "positive",
    priors: str = "unlabelled",
    healthy_breast: str = "negative",
    annotations: bool = True,
) -> Iterator[ImageRecord]:
    """Read one record per image.

    A file that is not there keeps its name for a path, by which the preparation rejects it.

    Args:
        root: Folder that holds the images, at any depth.
        tasks: Some of ``malignant``, ``cancer_type``, ``node_metastasis``, ``recall``,
            ``percent_density``, ``dense_area`` and ``breast_area``.
        table: The table if it does not lie in ``root``; relative to it.
        interval: What breasts are of which the cancer surfaced 60 to 729 days after the
            exam: ``positive``, ``negative`` or ``unlabelled``.
        priors: The same of exams 730 or more days before the diagnosis.
        healthy_breast: What the breast without cancer of a case is: ``negative`` or
            ``unlabelled``.
        annotations: Whether outlines of cancers are looked for below ``root``.

    Raises:
        TableError: If the table cannot be read, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, or a file is there twice.
    """
    labels = _malignant(interval, priors, healthy_breast)
    check_task_names("csaw_cc", tasks, _OUTCOMES)
    listed = read_images(root, table)
    listed.problems.check()
    masks = {image.name: _mask_name(image.name) for image in listed.items if annotations}
    files = find_files(root, {image.name for image in listed.items} | set(masks.values()))
    if masks and not files.keys() & set(masks.values()):
        logger.warning("%s holds no mask of a cancer: none is outlined", root)
    for image in listed.items:
        path = files.get(image.name, image.name)
        yield _record(image, tasks, labels, path, files.get(masks.get(image.name, "")))


def read_contents(
    root: Path,
    tasks: dict[str, Task],
    table: str = "",
    interval: str = "positive",
    priors: str = "unlabelled",
    healthy_breast: str = "negative",
    annotations: bool = True,
) -> Contents:
    """Read what the table says; the options are those of :func:`read_records`.

    ``annotations`` changes nothing here: the table does not know of them.
    """
    del annotations
    labels = _malignant(interval, priors, healthy_breast)
    check_task_names("csaw_cc", tasks, _OUTCOMES)
    listed = read_images(root, table)
    images = listed.items
    situations = Counter(image.situation for image in images)
    women = {image.patient_id: image.situation != CONTROL for image in images}
    views = Counter((i.exam_id, i.laterality, i.view_position) for i in images)
    return Contents(
        rows=listed.rows,
        records=tuple(_record(image, tasks, labels, image.name) for image in images),
        problems=(listed.problems,),
        facts={
            "images_by_situation": {name: situations[name] for name in SITUATIONS},
            "cases": sum(women.values()),
            "controls": len(women) - sum(women.values()),
            "exams_with_a_view_twice": len({view[0] for view, n in views.items() if n > 1}),
        },
    )


def _malignant(interval: str, priors: str, healthy_breast: str) -> dict[str, int | None]:
    """Return the label of each situation."""
    chosen = {"interval": interval, "priors": priors, "healthy_breast": healthy_breast}
    for option, word in chosen.items():
        known = [known for known in _LABELS if (option, known) != ("healthy_breast", "positive")]
        check_choice("csaw_cc", option, word, known)
    return {
        CONTROL: 0,
        SCREEN_DETECTED: 1,
        INTERVAL: _LABELS[interval],
        PRIOR: _LABELS[priors],
        HEALTHY: _LABELS[healthy_breast],
    }


def _record(
    image: Image,
    tasks: dict[str, Task],
    labels: dict[str, int | None],
    path: str,
    mask: str | None = None,
) -> SourceRecord:
    malignant = labels.get(image.situation)
    known = image.values | ({} if malignant is None else {"malignant": malignant})
    if not malignant:
        # The table repeats them for every image of the woman.
        known = {name: value for name, value in known.items() if name not in _OF_THE_CANCER}
    return SourceRecord(
        img_path=path,
        patient_id=image.patient_id,
        exam_id=image.exam_id,
        laterality=image.laterality,
        view_position=image.view_position,
        gt_label=encode_labels(tasks, known),
        clinic_vars=image.clinic_vars,
        masks=(FindingMask(mask, "cancer", malignant=True),) if mask else (),
    )


def _mask_name(name: str) -> str:
    return f"{PurePosixPath(name).stem}_mask.png"
