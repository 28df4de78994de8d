"""What is already prepared: a record that survives a kill at any moment."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.preparation.whole_files import process_name

JOURNAL_FOLDER = ".journal"


@dataclass(frozen=True)
class Entry:
    """One line: an image that was finished, or one whose file is no longer valid.

    Attributes:
        image_id: Pseudonym of the image.
        key: Fingerprint of the source file and of all that decides about the pixels.
        run: Number of the run, from 1; a later run overrules an earlier one.
        result: What the preparation found; ``None`` takes an earlier line back.
    """

    image_id: str
    key: str
    run: int
    result: dict[str, Any] | None


class Journal:
    """Lines that every process appends to a file of its own, one per finished image.

    A line is written after its PNG is in place and in one piece, so a line that can be
    read speaks the truth; a torn last line is the trace of a kill and counts as none.
    Before an image is made anew its old line is taken back (:meth:`forget`): a kill
    between the new PNG and its line must not leave the old line as the last word.

    Args:
        folder: Where the files lie; made when the first line is written.
        run: Number of the present run.
    """

    def __init__(self, folder: Path, run: int) -> None:
        self.folder = folder
        self.run = run

    def append(self, image_id: str, key: str, result: dict[str, Any] | None) -> None:
        """Add one line; after the call a kill of the process cannot lose it."""
        line = json.dumps([image_id, key, self.run, result], separators=(",", ":"))
        path = self.folder / f"{process_name()}.jsonl"
        _append_line(path, f"{line}\n".encode())

    def forget(self, image_ids: list[str]) -> None:
        """Take back what earlier runs said about some images."""
        for image_id in image_ids:
            self.append(image_id, "", None)


def read_journal(folder: Path) -> tuple[dict[str, Entry], int]:
    """Return the last word on each image and the number of the last run."""
    last: dict[str, Entry] = {}
    run = 0
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            entry = _parse(line)
            if entry is None:
                continue
            run = max(run, entry.run)
            if entry.image_id not in last or _rank(last[entry.image_id]) <= _rank(entry):
                last[entry.image_id] = entry
    return last, run


def _rank(entry: Entry) -> tuple[int, bool]:
    """Later runs first; within a run an image is forgotten before it is finished."""
    return entry.run, entry.result is not None


def _parse(line: bytes) -> Entry | None:
    try:
        image_id, key, run, result = json.loads(line)
    except (ValueError, TypeError):
        return None
    return Entry(image_id, key, run, result)


def _append_line(path: Path, line: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(file).st_size
        # What a full disk cut short stays a line of its own.
        torn = bool(size) and os.pread(file, 1, size - 1) != b"\n"
        data = b"\n" * torn + line
        if os.write(file, data) != len(data):
            raise OSError(f"{path}: the disk is full: free some space and run again")
    finally:
        os.close(file)
