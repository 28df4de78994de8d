"""EMBED: screening and diagnostic exams, from its clinical and its metadata table."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mammography.preparation.contents import Contents
from mammography.preparation.source_tables.embed_breasts import EXAM_KINDS
from mammography.preparation.source_tables.embed_images import FOLDER, PREFIX
from mammography.preparation.source_tables.embed_records import ROIS, SEVERITY_5, Embed
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.BREAST
FILE_OPTIONS = ("clinical", "metadata", "images", "prefix")
DEFAULT_TASKS = ("malignant:binary", "density:ordinal=A,B,C,D", "birads:ordinal=1,2,3,4,5")

logger = logging.getLogger(__name__)


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    clinical: str = "",
    metadata: str = "",
    images: str = FOLDER,
    prefix: str = PREFIX,
    image_types: tuple[str, ...] = ("2D",),
    exams: tuple[str, ...] = EXAM_KINDS,
    special_views: bool = True,
    negatives: tuple[str, ...] = ("N", "B"),
    severity_5: str = SEVERITY_5[0],
    implied: bool = False,
    unlisted: bool = False,
    race: bool = False,
    rois: str = ROIS[0],
) -> Iterator[ImageRecord]:
    """Read one record per image of a listed exam.

    Args:
        root: Folder of the download, that holds ``tables`` and ``images``.
        tasks: Some of ``malignant``, ``density``, ``birads``, ``pathology`` and
            ``age_years``.
        clinical: The clinical table if it has another name or place; relative to ``root``.
        metadata: The metadata table, likewise.
        images: Folder that holds the cohorts; relative to ``root``.
        prefix: What stands for it in the paths of the metadata table.
        image_types: Which are prepared: ``2D``, ``cview`` (synthetic), ``3D``.
        exams: Which are prepared: ``screening``, ``diagnostic``, ``other``.
        special_views: Whether spot compression and magnification views are prepared.
        negatives: Assessments that mean no cancer where there is no pathology: some of
            ``N``, ``B``, ``P``.
        severity_5: What ``path_severity`` 5 is: ``normal`` tissue, which is no cancer, or
            ``unlabelled``, as it may be a cancer that is not of the breast.
        implied: Whether a breast without row is negative (BI-RADS 1) in an exam that is
            described as bilateral.
        unlisted: Whether images of exams without clinical row are prepared, without labels.
        race: Whether the race is a clinical variable.
        rois: What pixels the marks of radiologists are of: ``png`` (mirrored as the
            publishers mirror), ``dicom``, or ``none`` to leave them out.

    Raises:
        TableError: If a table cannot be read, or with the list of its bad cells.
        ValueError: If a task or an option is unknown.
    """
    source = Embed(
        root, tasks, clinical, metadata, images, prefix, image_types, exams, special_views,
        negatives, severity_5, implied, unlisted, race, rois,
    )  # fmt: skip
    Contents(0, (), source.problems).check()
    for what, count in source.left_out.items():
        logger.warning("source embed: %s, left out: %d", what, count)
    yield from source.records(with_findings=True)


def read_contents(root: Path, tasks: dict[str, Task], **options: Any) -> Contents:
    """Read what the tables say; the options are those of :func:`read_records`."""
    return Embed(root, tasks, **options).contents()
