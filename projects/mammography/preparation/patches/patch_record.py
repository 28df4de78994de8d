"""The record of a patch and its row in the table: where it comes from and what it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mammography.preparation.patches.jobs import patch_id
from mammography.preparation.patches.lesion_classes import CLASSES, LESION_TASK
from mammography.preparation.prepared_record import IMAGE_FOLDER
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.geometry import ImageGeometry

COLUMNS = (
    "img_path", "patient_id", "split", "source_image", "left", "top", "right", "bottom",
    "class", "lesion", "overlap", "cutoff", "crowded",
)  # fmt: skip


def patch_record(
    source: ImageRecord, patch: Mapping[str, Any], size_hw: tuple[int, int]
) -> ImageRecord:
    """Return the record of a patch.

    Its geometry leads to the source of the prepared image: the offset is that of the image less
    the place of the patch, and so may be negative. Its findings are the boxes of what it shows
    of them, in its own pixels.

    Args:
        source: Record of the prepared image.
        patch: What the journal notes of the patch.
        size_hw: Rows and columns of the patch.
    """
    name, (left, top) = patch_id(str(source.image_id), patch["name"]), _corner(patch)
    height, width = source.size_hw or (0, 0)
    geometry = source.geometry or ImageGeometry((height, width), (0, 0, width, height))
    down, right = geometry.offset_hw
    return replace(
        source,
        img_path=f"{IMAGE_FOLDER}/{name}.png",
        image_id=name,
        size_hw=size_hw,
        gt_label={LESION_TASK.name: float(patch["class"])},
        clinic_vars={},
        findings=tuple(
            moved for f in source.findings if (moved := _shown(f, left, top, size_hw)) is not None
        ),
        geometry=replace(geometry, offset_hw=(down - top, right - left)),
    )


def _corner(patch: Mapping[str, Any]) -> tuple[int, int]:
    return patch["left"], patch["top"]


def _shown(finding: Finding, left: int, top: int, size_hw: tuple[int, int]) -> Finding | None:
    """Return the part of the box of a finding that lies in a patch; none if nothing does."""
    height, width = size_hw
    x0, x1 = (round(min(max(x - left, 0.0), width), 3) for x in finding.box[0::2])
    y0, y1 = (round(min(max(y - top, 0.0), height), 3) for y in finding.box[1::2])
    return replace(finding, box=(x0, y0, x1, y1), outline=()) if x0 < x1 and y0 < y1 else None


def table_row(record: ImageRecord, patch: Mapping[str, Any], source_image: str) -> list[Any]:
    """Return the row of a patch, in the order of :data:`COLUMNS`.

    Args:
        record: Of the patch.
        patch: What the journal notes of it.
        source_image: ``image_id`` of the prepared image.
    """
    (left, top), (height, width) = _corner(patch), record.size_hw or (0, 0)
    lesion = "" if patch["lesion"] is None else patch["lesion"]
    cutoff = "" if patch["cutoff"] is None else patch["cutoff"]
    return [
        record.img_path, record.patient_id, record.split, source_image,
        left, top, left + width, top + height,
        CLASSES[patch["class"]], lesion, patch["overlap"], cutoff, int(patch["crowded"]),
    ]  # fmt: skip
