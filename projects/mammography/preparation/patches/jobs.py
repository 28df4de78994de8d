"""One image from its PNG to those of its patches and its line in the journal."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mammography import __version__
from mammography.functional.png16 import decode_png16, encode_png16
from mammography.preparation.patches.image_patches import cut_image, describe
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.rejection import (
    RejectedImage,
    TemporaryRejection,
    any_error_rejects,
)
from mammography.preparation.whole_files import write_whole
from mammography.preparation.work.journal import Entry, Journal
from mammography.structures.annotation import ImageRecord

_NO_KEY = ""  # Of no file: such an image is never done.


@dataclass(frozen=True)
class PatchJob:
    """One image to cut patches of.

    Attributes:
        image_id: Pseudonym of the image.
        path: Its PNG.
        record: What is known of it.
    """

    image_id: str
    path: Path
    record: ImageRecord


@dataclass(frozen=True)
class PatchWorkshop:
    """What all jobs of a run share.

    Attributes:
        images: Folder of the patches.
        journal: Where finished images are noted.
        options: Which patches.
    """

    images: Path
    journal: Journal
    options: PatchOptions

    def key(self, job: PatchJob) -> str:
        """Fingerprint of all that decides about the patches: file, findings, options, version."""
        status = job.path.stat() if job.path.is_file() else None
        row = job.record.to_json()
        parts = [
            status and [status.st_size, status.st_mtime_ns],
            [asdict(finding) for finding in job.record.findings],
            row["gt_label"].get(self.options.malignant_from),
            asdict(self.options),
            __version__,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]

    def is_done(self, job: PatchJob, entries: Mapping[str, Entry]) -> bool:
        """Whether an earlier run cut these very patches and they are still there."""
        entry = entries.get(job.image_id)
        return entry is not None and entry.key == self.key(job) and self.is_there(job, entries)

    def is_there(self, job: PatchJob, entries: Mapping[str, Entry]) -> bool:
        """Whether the last word on an image holds: it was rejected, or its patches are there."""
        entry = entries.get(job.image_id)
        if entry is None or entry.result is None:
            return False
        return "rejected" in entry.result or all(
            self._has(job, patch) for patch in entry.result["patches"]
        )

    def _has(self, job: PatchJob, patch: Mapping[str, Any]) -> bool:
        try:
            size = self.png(job, patch["name"]).stat().st_size
        except FileNotFoundError:
            return False
        return bool(size == patch["png_bytes"])

    def png(self, job: PatchJob, name: str) -> Path:
        """File of a patch."""
        return self.images / f"{patch_id(job.image_id, name)}.png"

    def work(self, job: PatchJob) -> None:
        """Cut the patches of one image, or reject it; note either in the journal."""
        key = self.key(job)  # Before the file is read: a file that changes meanwhile is redone.
        try:
            with any_error_rejects():
                found = cut_image(job.record, read_prepared(job), self.options)
        except TemporaryRejection as reason:
            self.reject(job, str(reason))
            return
        except RejectedImage as reason:
            self.reject(job, str(reason), key)
            return
        patches = []
        for patch in found.patches:
            data = encode_png16(patch.pixels)
            write_whole(self.png(job, patch.name), data)
            patches.append(describe(patch) | {"png_bytes": len(data)})
        counts = {"left_out": dict(+found.left_out), "rules": dict(+found.rules)}
        self.journal.append(job.image_id, key, {"patches": patches} | counts)

    def reject(self, job: PatchJob, reason: str, key: str = _NO_KEY) -> None:
        """Note why an image cannot be used; without its key the next run tries it again."""
        self.journal.append(job.image_id, key, {"rejected": reason})


def patch_id(image_id: str, name: str) -> str:
    """Return the name of a patch in its set."""
    return f"{image_id}-{name}"


def read_prepared(job: PatchJob) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Read a prepared PNG that is what its record says.

    Raises:
        RejectedImage: If it is absent, damaged, not of 16 bits or of another size.
    """
    try:
        pixels = decode_png16(job.path.read_bytes())
    except FileNotFoundError as error:
        raise RejectedImage("file does not exist") from error
    except ValueError as error:
        raise RejectedImage("PNG cannot be decoded") from error
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        raise RejectedImage("PNG is not 16-bit grey")
    if job.record.size_hw not in (None, pixels.shape):
        raise RejectedImage("PNG has another size than its annotation says")
    return pixels.astype(np.uint16, copy=False)
