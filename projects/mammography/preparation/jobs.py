"""One image from its file to its PNG and its line in the journal."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mammography import __version__
from mammography.functional.png16 import encode_png16
from mammography.preparation.cells import CellError, category
from mammography.preparation.image import PreparationOptions, PreparedImage, prepare_image
from mammography.preparation.journal import Entry, Journal
from mammography.preparation.rejection import RejectedImage, TemporaryRejection
from mammography.preparation.whole_files import write_whole
from mammography.terms import Laterality, ViewPosition

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
    """

    image_id: str
    path: Path
    laterality: Laterality | None = None
    view_position: ViewPosition | None = None


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
        """Fingerprint of all that decides about the PNG: file, options, version."""
        try:
            status = job.path.stat()
            file = [status.st_size, status.st_mtime_ns]
        except OSError:
            file = []
        parts = [file, job.laterality, job.view_position, asdict(self.options), __version__]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def is_done(self, job: Job, entries: Mapping[str, Entry]) -> bool:
        """Whether an earlier run finished this very image and its PNG is still there."""
        entry = entries.get(job.image_id)
        if entry is None or entry.result is None or entry.key != self.key(job):
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
        try:
            prepared = prepare_job(job, self.options)
        except TemporaryRejection as reason:
            self.reject(job, str(reason), _NO_KEY)
            return
        except RejectedImage as reason:
            self.reject(job, str(reason), key)
            return
        data = encode_png16(prepared.pixels)
        write_whole(self.png(job), data)
        self.journal.append(job.image_id, key, {"png_bytes": len(data)} | describe(prepared))

    def reject(self, job: Job, reason: str, key: str | None = None) -> None:
        """Note why an image cannot be used."""
        key = self.key(job) if key is None else key
        self.journal.append(job.image_id, key, {"rejected": reason})


def prepare_job(job: Job, options: PreparationOptions) -> PreparedImage:
    """Prepare one image; whatever goes wrong rejects it.

    Raises:
        RejectedImage: With the reason.
    """
    if not os.path.isfile(job.path):  # noqa: PTH113 - that of Path raises where it may not look
        raise RejectedImage("file does not exist")
    try:
        return prepare_image(job.path, job.laterality, job.view_position, options)
    except RejectedImage:
        raise
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error
    except MemoryError as error:
        raise TemporaryRejection("too large for the memory") from error
    # One file in a hundred thousand must not end the run. The text of the error may quote
    # the file, its kind does not.
    except Exception as error:
        raise RejectedImage(f"unexpected {type(error).__name__}") from error


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
