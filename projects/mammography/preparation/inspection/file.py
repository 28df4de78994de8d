"""What one file says about itself, and what the preparation would make of it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset

from mammography.preparation.cells import CellError, category
from mammography.preparation.decoding.decode import read_dataset
from mammography.preparation.decoding.discretion import discretion
from mammography.preparation.decoding.files import plain_format
from mammography.preparation.headers.header import read_header
from mammography.preparation.headers.header_values import count_frames
from mammography.preparation.image import PreparedImage
from mammography.preparation.inspection.preview import draw_preview
from mammography.preparation.jobs import Job, describe, prepare_job
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.preparation.whole_files import PRIVATE, write_whole

FIELDS = (
    "path", "rejected", "doubts", "file_format", "manufacturer", "model", "image_kind",
    "image_kind_source", "implant", "transfer_syntax", "reduced", "photometric", "dense_values",
    "dense_values_source", "bits_allocated", "bits_stored", "presentation_intent", "raw_values",
    "lossy", "rows", "columns", "frames", "frame_taken", "overlays", "burned_in_annotation",
    "pixel_spacing_mm", "spacing_source", "voi", "laterality", "laterality_source",
    "view_position", "view_source", "view_modifiers", "chest_wall", "crop_box", "flipped",
    "prepared_size_hw", "prepared_spacing_mm", "preview",
)  # fmt: skip
_LONGEST_NAME = 64  # What DICOM admits for a maker and a model.
_DIGITS = 6  # Of millimetres, to undo the scale without its rounding.


@dataclass(frozen=True)
class Inspector:
    """Says what the preparation would make of a file; it asks the preparation itself.

    Attributes:
        options: How images would be prepared.
        preview: Folder for a picture of each file; none draws none.
    """

    options: PreparationOptions
    preview: Path | None = None

    def __call__(self, numbered: tuple[int, Path]) -> dict[str, Any]:
        """Inspect a file; the number names its picture.

        Returns:
            All of ``FIELDS``, ``None`` where nothing is known. But for the path, which is
            the one given, nothing tells who the patient is.
        """
        number, path = numbered
        line = dict.fromkeys(FIELDS) | {"path": str(path), "doubts": []}
        line |= _stated(path, self.options)
        prepared = None
        try:
            prepared = prepare_job(Job("", path), self.options)
        except RejectedImage as reason:
            line["rejected"] = str(reason)
        else:
            line |= _done(prepared)
        if self.preview:
            line["preview"] = self._draw(number, path, line, prepared)
        return line

    def _draw(
        self, number: int, path: Path, line: Mapping[str, Any], prepared: PreparedImage | None
    ) -> str | None:
        """Write the picture and return its name; none of a file without pixels."""
        name = f"{number:05d}.png"
        try:
            picture = draw_preview(path, self.options, prepared, caption(number, line))
        except Exception:  # Without pixels there is no picture, which must not end the run.
            return None
        # Labels in the image may name the patient, hence for the owner alone.
        write_whole(Path(str(self.preview)) / name, picture, PRIVATE)
        return name


def caption(number: int, line: Mapping[str, Any]) -> list[str]:
    """Say the most important of an inspected file in a few lines."""
    view = f"{line['laterality'] or '?'} {line['view_position'] or '?'}"
    maker = " / ".join(line[name] for name in ("manufacturer", "model") if line[name])
    voi = [v if isinstance(v, str) else f"{name} {v:g}" for name, v in (line["voi"] or {}).items()]
    rejected = line["rejected"] and f"rejected: {line['rejected']}"
    notes = [", ".join(voi), rejected, *line["doubts"]]
    return [f"{number}   {view}   {maker}".rstrip(), *(note for note in notes if note)]


def _stated(path: Path, options: PreparationOptions) -> dict[str, Any]:
    """Return what the header says, as far as it can be read."""
    if not os.path.isfile(path):  # noqa: PTH113 - that of Path raises where it may not look
        return {}
    try:
        name = plain_format(path)
        if name:
            return {"file_format": name}
        dataset = read_dataset(path)
    except RejectedImage:
        return {}
    with discretion():
        stated: dict[str, Any] = {
            "file_format": "DICOM",
            "manufacturer": _name(dataset, "Manufacturer"),
            "model": _name(dataset, "ManufacturerModelName"),
            "rows": _whole(dataset, "Rows"),
            "columns": _whole(dataset, "Columns"),
            "frames": count_frames(dataset),
        }
    try:
        header = read_header(dataset, options.window_index)
    except RejectedImage:
        return stated
    stated |= header.facts
    return stated | {
        "laterality": header.laterality,
        "view_position": header.view_position,
        "pixel_spacing_mm": header.pixel_spacing_mm,
        "doubts": header.doubts,
    }


def _done(prepared: PreparedImage) -> dict[str, Any]:
    """Return what the preparation found and did."""
    result = describe(prepared)
    facts: dict[str, Any] = result["facts"]
    geometry = prepared.geometry
    spacing, scale = prepared.pixel_spacing_mm, geometry.scale_hw
    return facts | {
        "manufacturer": result["manufacturer"],
        "rows": geometry.source_size_hw[0],
        "columns": geometry.source_size_hw[1],
        "pixel_spacing_mm": spacing
        and (round(spacing[0] * scale[0], _DIGITS), round(spacing[1] * scale[1], _DIGITS)),
        "laterality": result["laterality"],
        "view_position": result["view_position"],
        "crop_box": geometry.crop_box,
        "flipped": geometry.flipped,
        "prepared_size_hw": result["size_hw"],
        "prepared_spacing_mm": spacing,
    }


def _name(dataset: Dataset, keyword: str) -> str | None:
    """Return the name of a maker or a model; none if it may be something else."""
    try:
        text = " ".join(str(dataset.get(keyword) or "").split())
        return str(category(text, longest=_LONGEST_NAME)) if text else None
    except CellError:
        return None
    except Exception:  # A damaged header breaks pydicom in many ways.
        return None


def _whole(dataset: Dataset, keyword: str) -> int | None:
    try:
        return int(dataset[keyword].value)
    except Exception:  # Absent, empty, several, or damaged.
        return None
