"""VinDr-Mammo: digital screening and diagnostic exams with BI-RADS and boxes of findings."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image as PngFile

from mammography.preparation.contents import Contents
from mammography.preparation.source_tables.image_folder import ImageFolder
from mammography.preparation.source_tables.vindr_mammo_exams import VinDrMammo
from mammography.preparation.source_tables.vindr_mammo_images import Image
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.BREAST
PUBLIC = True
FILE_OPTIONS = ("breast_table", "finding_table", "metadata", "images")
DEFAULT_TASKS = ("suspicious:binary", "birads:ordinal=1,2,3,4,5", "density:ordinal=A,B,C,D")

_IMAGES, _SUFFIX = "images", ".dicom"

logger = logging.getLogger(__name__)


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    breast_table: str = "",
    finding_table: str = "",
    metadata: str = "",
    images: str = _IMAGES,
    boxes: bool = True,
    official_split: bool = True,
    validation: float = 0.0,
    suspicious_from: int = 4,
    suspicious_without: tuple[str, ...] = (),
) -> Iterator[ImageRecord]:
    """Read one record per image; its labels are those of its breast.

    An image that is not there keeps the published path, by which the preparation rejects
    it.

    Args:
        root: Folder that holds the tables and the folder ``images``.
        tasks: Some of ``suspicious``, ``birads``, ``density`` and the categories of
            findings, such as ``mass``.
        breast_table: The breast-level table if it has another name; relative to the root,
            as are all files.
        finding_table: The table of findings if it has another name.
        metadata: The table of metadata if it has another name; ``none`` to leave it out.
        images: Folder of the images.
        boxes: Whether records have the boxes of the findings.
        official_split: Whether the split of the tables is kept.
        validation: Share of the exams of the official training part that become ``val``.
        suspicious_from: Lowest BI-RADS of a breast that is ``suspicious``.
        suspicious_without: BI-RADS whose breasts get no label ``suspicious``.

    Raises:
        TableError: If a table cannot be read, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, or a PNG with boxes has not the size
            that the table tells.
    """
    source = VinDrMammo(
        root, tasks, breast_table, finding_table, metadata, boxes, official_split,
        validation, suspicious_from, suspicious_without,
    )  # fmt: skip
    folder = ImageFolder(root, images, _SUFFIX)
    contents = source.contents(folder.published)
    contents.check()
    cut = contents.facts["boxes_cut_at_the_border"]
    if boxes and cut:
        logger.warning("source vindr_mammo: boxes cut at the border of their image: %d", cut)
    for image, record in zip(source.images, contents.records, strict=True):
        path = folder.find(image.study_id, image.image_id)
        if record.findings:
            _check_size(root / path, image)
        yield replace(record, img_path=path)


def read_contents(
    root: Path, tasks: dict[str, Task], images: str = _IMAGES, **options: Any
) -> Contents:
    """Read what the tables say; the options are those of :func:`read_records`."""
    return VinDrMammo(root, tasks, **options).contents(ImageFolder(root, images, _SUFFIX).published)


def _check_size(path: Path, image: Image) -> None:
    """Refuse boxes on a PNG of another size: they would lie elsewhere."""
    try:
        if path.suffix != ".png":
            return
        with PngFile.open(path) as file:
            width, height = file.size
    except OSError:  # A damaged file is left to the preparation.
        return
    if (height, width) != (image.height, image.width):
        raise ValueError(
            f"source vindr_mammo: {path} must have {image.height} x {image.width} pixels as "
            f"{image.place} of the table says, got {height} x {width}: take files of full size, "
            "or leave out the boxes with --source-options boxes=false"
        )
