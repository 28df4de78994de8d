"""The files of a prepared source, besides its images."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mammography.preparation.prepared_record import IMAGE_FOLDER
from mammography.preparation.study import PRIVATE_FOLDER
from mammography.preparation.whole_files import PRIVATE, remove_unfinished, write_whole
from mammography.preparation.work.versions import find_versions
from mammography.structures.annotation import Annotations, write_annotations
from mammography.structures.pixel_cache import CACHE_FOLDER, CACHE_KINDS
from mammography.terms import Split

ANNOTATION_FOLDER = "annotations"
PREPARED_FILE = "prepared.json"  # There when all is done.
REJECTED_FILE = "rejected.csv"
DOUBTS_FILE = "doubts.csv"
SOURCES_FILE = "sources.csv"

_HALF_WRITTEN = {
    ".": (PREPARED_FILE, REJECTED_FILE, DOUBTS_FILE),
    ANNOTATION_FOLDER: ("*.json",),
    IMAGE_FOLDER: ("*.png",),
    CACHE_FOLDER: tuple(f"*.{kind}" for kind in CACHE_KINDS),
    PRIVATE_FOLDER: ("salt", SOURCES_FILE),
}


def write_split_annotations(folder: Path, whole: Annotations) -> None:
    """Write ``all.json`` and one file per split; that of an empty split goes."""
    write_annotations(folder / "all.json", whole)
    for split in Split:
        records = tuple(record for record in whole.records if record.split is split)
        path = folder / f"{split.value}.json"
        if records:
            write_annotations(path, Annotations(whole.tasks, records, whole.source, whole.level))
        else:
            path.unlink(missing_ok=True)


def remove_annotations(folder: Path) -> None:
    """Remove what :func:`write_split_annotations` wrote."""
    for name in ("all", *Split):
        (folder / f"{name}.json").unlink(missing_ok=True)


def remove_half_written(out: Path) -> None:
    """Remove what calls that were killed left half written; nobody else may work there."""
    for folder, names in _HALF_WRITTEN.items():
        remove_unfinished(out / folder, names)


def write_rejected(path: Path, rejected: Mapping[str, str]) -> None:
    """Write the path of every image that was left out, as the source has it, and why."""
    write_whole(path, csv_table(("path", "reason"), sorted(rejected.items())), PRIVATE)


def write_doubts(path: Path, doubts: Mapping[str, Sequence[str]]) -> None:
    """Write the path of every image that was prepared although something is odd, and what."""
    rows = [(name, doubt) for name in sorted(doubts) for doubt in doubts[name]]
    write_whole(path, csv_table(("path", "doubt"), rows), PRIVATE)


def write_sources(path: Path, paths: Mapping[str, str]) -> None:
    """Write which file of the source every image was made from: for the owner only."""
    write_whole(path, csv_table(("image_id", "path"), sorted(paths.items())), PRIVATE)


def write_prepared(path: Path, rejected: Mapping[str, str], facts: Mapping[str, Any]) -> None:
    """Write what was done: versions, options, counts, timings; no file is named."""
    content = {
        "versions": find_versions(),
        **facts,
        "rejected": dict(sorted(Counter(rejected.values()).items())),
    }
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def csv_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    r"""Return the content of a CSV file.

    Example:
        >>> csv_table(["image_id", "left"], [["i1", 7]])
        b'image_id,left\ni1,7\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()
