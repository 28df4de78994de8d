"""Many files inspected, and their account as lines, as a table and in numbers."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.preparation.inspection.file import FIELDS, Inspector
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import CRASHED
from mammography.preparation.whole_files import PRIVATE, write_whole
from mammography.preparation.work.gather import gather

_COUNTED = {
    "vendor and model": ("manufacturer", "model"),
    "transfer syntax": ("transfer_syntax",),
    "photometric interpretation": ("photometric",),
    "presentation intent": ("presentation_intent",),
    "kind of image": ("image_kind",),
    "grey": ("voi",),
    "view": ("view_position",),
    "change of the view": ("view_modifiers",),
    "laterality": ("laterality",),
    "implant": ("implant",),
}


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        lines: One dictionary of ``FIELDS`` per file.
    """

    lines: Sequence[Mapping[str, Any]]

    @property
    def exit_code(self) -> int:
        """0: all would be prepared; 3: some rejected; 1: none would be prepared."""
        rejected = sum(line["rejected"] is not None for line in self.lines)
        if rejected == len(self.lines):
            return 1
        return 3 if rejected else 0

    def as_jsonl(self) -> str:
        """Return one line of JSON per file."""
        return "".join(f"{json.dumps(line)}\n" for line in self.lines)

    def as_csv(self) -> str:
        """Return a table with one row per file; what is no plain value is JSON in its cell."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows([_cell(line[name]) for name in FIELDS] for line in self.lines)
        return text.getvalue()

    def __str__(self) -> str:
        """Count the files by all that may differ, the rejected ones and the doubts."""
        headers = [line for line in self.lines if line["file_format"]]
        blocks = {
            title: Counter(_joined(line, names) for line in headers)
            for title, names in _COUNTED.items()
        }
        blocks["doubt"] = Counter(doubt for line in self.lines for doubt in line["doubts"])
        reasons = [line["rejected"] for line in self.lines if line["rejected"] is not None]
        blocks["rejected"] = Counter(reasons)
        text = [line for title, counts in blocks.items() for line in _block(title, counts)]
        prepared = [line for line in self.lines if line["rejected"] is None]
        odd = sum(bool(line["doubts"]) for line in prepared)
        last = f"{len(self.lines)} files: {len(prepared)} would be prepared"
        return "\n".join([*text, f"{last} ({odd} with doubts), {len(reasons)} rejected"])


def find_files(paths: Iterable[Path], recursive: bool = True) -> list[Path]:
    """Return the paths that are given, folders replaced by the files in them.

    Hidden files of a folder are left out, as are the folders themselves.

    Raises:
        FileNotFoundError: If there is none.
    """
    found: list[Path] = []
    for path in paths:
        # Those of Path raise where they may not look.
        if os.path.isdir(path):  # noqa: PTH112
            inside = path.rglob("*") if recursive else path.glob("*")
            shown = (p for p in inside if not p.name.startswith("."))
            found += sorted(p for p in shown if os.path.isfile(p))  # noqa: PTH113
        else:
            found.append(path)
    if not found:
        raise FileNotFoundError("PATH must name files, or folders that hold some, got none")
    return list(dict.fromkeys(found))


def inspect_files(
    files: Sequence[Path],
    options: PreparationOptions | None = None,
    preview: Path | None = None,
    *,
    workers: int = 1,
    show_progress: bool = False,
) -> Inspection:
    """Say of each file what the preparation would make of it.

    Args:
        files: Any files; a bad one has its reason.
        options: How they would be prepared.
        preview: Folder for a picture of each file, for its owner alone: an image may have
            a name burnt into it.
        workers: Number of processes; a file that ends its process ends no other one.
        show_progress: Show a bar with the rate.

    Raises:
        ValueError: If there is no worker.
        OSError: If a picture cannot be written.
    """
    inspector = Inspector(options or PreparationOptions(), preview)
    numbered = list(enumerate(files, 1))
    found = gather(inspector, numbered, workers, "inspecting" if show_progress else None)
    return Inspection([_line(file, line) for file, line in zip(files, found, strict=True)])


def write_inspection(inspection: Inspection, jsonl: Path | None, table: Path | None) -> None:
    """Write lines of JSON and a table, for the owner alone: paths often name patients."""
    if jsonl:
        write_whole(jsonl, inspection.as_jsonl().encode(), PRIVATE)
    if table:
        # A name may hold bytes that are no letters; they are written as they are.
        write_whole(table, inspection.as_csv().encode(errors="surrogateescape"), PRIVATE)


def _line(file: Path, line: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if line is not None:
        return line
    return dict.fromkeys(FIELDS) | {"path": str(file), "doubts": [], "rejected": CRASHED}


def _joined(line: Mapping[str, Any], names: Iterable[str]) -> str:
    found = [_kind(line[name]) for name in names if line[name] not in (None, [])]
    return " / ".join(found) or "not stated"


def _kind(value: Any) -> str:
    """Return a plain value as it is, of a detailed one its kind, of several things all."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value["kind"]) if isinstance(value, dict) else _listed(value)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict | tuple) else value


def _block(title: str, counts: Mapping[str, int]) -> list[str]:
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [f"{title}:", *(f"{count:8d}  {name}" for name, count in ordered), ""]
