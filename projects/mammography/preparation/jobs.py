"""One image from its file to its PNG and its line in the journal."""

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mammography import __version__
from mammography.functional.png16 import encode_png16
from mammography.preparation.cells import CellError, category
from mammography.preparation.finding_masks import find_findings
from mammography.preparation.image import PreparationOptions, PreparedImage, prepare_image
from mammography.preparation.rejection import (
    RejectedImage,
    TemporaryRejection,
    any_error_rejects,
)
from mammography.preparation.whole_files import write_whole
from mammography.preparation.work.journal import Entry, Journal
from mammography.terms import Laterality, ViewModifier, ViewPosition

_NO_KEY = ""  # Of no file: such an image is never done.
_LONGEST_MAKER = 64  # What DICOM admits there.


@dataclass(frozen=True)
class Job:
    """One image to prepare.

    Attributes:
        image_id: Pseudonym; the PNG is named by it.
        path: File of the source.
        laterality: Side of the breast, when the source tells.
        view_position: Projection, when the source tells.
        masks: For each lesion that lies in a file of its own, the files of which one is
            its mask.
        view_modifiers: What changes the view, when the source tells.
        pixel_spacing_mm: Size of a pixel of the file as (row, column), when the source tells.
    """

    image_id: str
    path: Path
    laterality: Laterality | None = None
    view_position: ViewPosition | None = None
    masks: tuple[tuple[Path, ...], ...] = ()
    view_modifiers: tuple[ViewModifier, ...] = ()
    pixel_spacing_mm: tuple[float, float] | None = None


@dataclass(frozen=True)
class Workshop:
    """What all jobs of a run share.

    Attributes:
        images: Folder of the PNG files.
        journal: Where finished images are noted.
        options: How the pixels are prepared.
    """

    images: Path
    journal: Journal
    options: PreparationOptions

    def key(self, job: Job) -> str:
        """Fingerprint of all that decides about the PNG and its lesions.

        These are the files, the options and the version, and which mask is whose.
        """
        told = [job.laterality, job.view_position, job.pixel_spacing_mm, *job.view_modifiers]
        masks = [
            [(os.path.relpath(path, job.path.parent), _stamp(path)) for path in paths]
            for paths in job.masks
        ]
        parts = [_stamp(job.path), *told, asdict(self.options), __version__, *masks]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def is_done(self, job: Job, entries: Mapping[str, Entry]) -> bool:
        """Whether an earlier run finished this very image and its PNG is still there."""
        entry = entries.get(job.image_id)
        return entry is not None and entry.key == self.key(job) and self.is_there(job, entries)

    def is_there(self, job: Job, entries: Mapping[str, Entry]) -> bool:
        """Whether the last word on an image holds: it was rejected, or that PNG is there."""
        entry = entries.get(job.image_id)
        if entry is None or entry.result is None:
            return False
        return "rejected" in entry.result or self._png_bytes(job) == entry.result["png_bytes"]

    def _png_bytes(self, job: Job) -> int | None:
        try:
            return self.png(job).stat().st_size
        except FileNotFoundError:
            return None

    def png(self, job: Job) -> Path:
        """File of the prepared image."""
        return self.images / f"{job.image_id}.png"

    def work(self, job: Job) -> None:
        """Prepare one image, or reject it; note either in the journal."""
        key = self.key(job)  # Before the file is read: a file that changes meanwhile is redone.
        start = time.perf_counter()
        try:
            prepared = prepare_job(job, self.options)
            with any_error_rejects():
                found = find_findings(job.masks, prepared.geometry.source_size_hw)
        except TemporaryRejection as reason:
            self.reject(job, str(reason))
            return
        except RejectedImage as reason:
            self.reject(job, str(reason), key)
            return
        prepared.facts.setdefault("doubts", []).extend(found.doubts)
        ready = time.perf_counter()
        data = encode_png16(prepared.pixels)
        write_whole(self.png(job), data)
        seconds = {
            "read": round(prepared.read_seconds, 4),
            "prepare": round(ready - start - prepared.read_seconds, 4),
            "write": round(time.perf_counter() - ready, 4),
        }
        result = {"png_bytes": len(data), "seconds": seconds, "findings": found.places}
        result |= describe(prepared)
        self.journal.append(job.image_id, key if found.is_final else _NO_KEY, result)

    def reject(self, job: Job, reason: str, key: str = _NO_KEY) -> None:
        """Note why an image cannot be used; without its key the next run tries it again."""
        self.journal.append(job.image_id, key, {"rejected": reason})


def prepare_job(job: Job, options: PreparationOptions) -> PreparedImage:
    """Prepare one image; whatever goes wrong rejects it.

    Raises:
        RejectedImage: With the reason.
    """
    if not os.path.isfile(job.path):  # noqa: PTH113 - that of Path raises where it may not look
        # To open a pipe would be to wait for ever.
        there = os.path.exists(job.path)  # noqa: PTH110
        raise RejectedImage("not a file" if there else "file does not exist")
    with any_error_rejects():
        return prepare_image(
            job.path,
            job.laterality,
            job.view_position,
            options,
            job.view_modifiers,
            job.pixel_spacing_mm,
        )


def _stamp(path: Path) -> list[int]:
    """Size and time of a file; of one that is not there nothing."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # Of a name that no file can have.
        return []
    return [status.st_size, status.st_mtime_ns]


def describe(prepared: PreparedImage) -> dict[str, Any]:
    """Return all but the pixels as plain values for JSON."""
    return {
        "size_hw": list(prepared.pixels.shape),
        "pixel_spacing_mm": prepared.pixel_spacing_mm,
        "laterality": prepared.laterality,
        "view_position": prepared.view_position,
        "manufacturer": _maker(prepared),
        "geometry": prepared.geometry.to_json(),
        "facts": prepared.facts,
    }


def _maker(prepared: PreparedImage) -> str | None:
    """Return the maker if it can be one: the header has free text there."""
    if prepared.manufacturer is None:
        return None
    try:
        return str(category(prepared.manufacturer, longest=_LONGEST_MAKER))
    except CellError:
        prepared.facts.setdefault("doubts", []).append("the manufacturer was left out: no name")
        return None
