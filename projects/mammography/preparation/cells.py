"""Cells of a table as values: each reader says what the cell must be."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from mammography.preparation.tables import Row, TableError
from mammography.terms import Laterality, Split, ViewPosition

T = TypeVar("T")

_MISSING = {"", "na", "n/a", "nan", "none", "null", "<na>", "nat"}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_UID = re.compile(r"\d+(\.\d+){4,}")
_DATE = re.compile(
    r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"  # 20260131
    r"|(19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}.*"  # 2026-01-31
    r"|\d{1,2}[-/.]\d{1,2}[-/.](19|20)?\d\d"  # 31.01.2026
)
_LISTED = 20

_WORDS: dict[type[StrEnum], dict[str, str]] = {
    Laterality: {"left": "L", "right": "R"},
    ViewPosition: {},
    Split: {"training": "train", "validation": "val", "valid": "val"},
}


class CellError(ValueError):
    """A cell breaks a rule; the text says the rule, after "must"."""


@dataclass
class Problems:
    """What is wrong in a table, all of it, so that one look mends it.

    Args:
        name: Name of the table, for the message.
    """

    name: str
    found: list[str] = field(default_factory=list)

    def read(self, row: Row, column: str, reader: Callable[[Any], T]) -> T | None:
        """Read one cell: ``None`` when it is empty, and when it is bad, which is noted."""
        value = row.cells.get(column)
        if is_missing(value):
            return None
        try:
            return reader(value)
        except CellError as error:
            self.add(row, column, str(error), value)
            return None

    def add(self, row: Row, column: str, rule: str, value: object) -> None:
        """Note one bad cell and the rule that it breaks."""
        self.found.append(f"{row.place}: {column} must {rule}, got {value!r}")

    def check(self) -> None:
        """Raise when something was noted.

        Raises:
            TableError: With the first 20 bad cells and the number of the others.
        """
        if self.found:
            more = len(self.found) - _LISTED
            tail = f"\n  and {more} more" if more > 0 else ""
            lines = "\n  ".join(self.found[:_LISTED])
            raise TableError(f"{self.name}: {len(self.found)} bad cells\n  {lines}{tail}")


def is_missing(value: object) -> bool:
    """Whether a cell says that there is no value.

    Example:
        >>> [is_missing(cell) for cell in (None, "", " NA ", float("nan"), 0, "0")]
        [True, True, True, True, False, False]
    """
    if isinstance(value, float):
        return value != value
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def identifier(value: object) -> str:
    """Spell an identifier, whatever the file made of it: ``7.0`` of a workbook is ``7``."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def term(words: type[StrEnum]) -> Callable[[object], Any]:
    """Return a reader of one of our terms, in any case; ``Left`` is ``L``.

    Example:
        >>> term(Laterality)("LEFT"), term(ViewPosition)("mlo"), term(Split)("training")
        (<Laterality.LEFT: 'L'>, <ViewPosition.MLO: 'MLO'>, <Split.TRAIN: 'train'>)
    """
    known = {word.value.lower(): word.value for word in words} | _WORDS[words]

    def read(value: object) -> StrEnum:
        text = str(value).strip().lower()
        if text not in known:
            raise CellError(f"be one of {', '.join(word.value for word in words)}")
        return words(known[text])

    return read


def category(value: object, longest: int = 40) -> object:
    """Return a number, a yes/no or a short word, never what may name a person.

    Args:
        value: The cell.
        longest: Longest word in characters; longer ones may be free text.

    Raises:
        CellError: If the cell is a date, a UID, a DICOM name or long text.

    Example:
        >>> [category(cell) for cell in ("54", 54.0, "0.5", "TRUE", "007", "C50.4")]
        [54, 54, 0.5, True, '007', 'C50.4']
    """
    if isinstance(value, date | datetime):
        raise CellError("be no date, which identifies: give an age or a number of days")
    if not isinstance(value, str | int | float):
        raise CellError("be a number or a word")
    text = str(value).strip()
    if _DATE.fullmatch(text):
        raise CellError("be no date, which identifies: give an age or a number of days")
    if _UID.search(text) or "^" in text or len(text) > longest:
        raise CellError(
            f"be a number or a word of at most {longest} characters, not a UID or a name"
        )
    return value if isinstance(value, bool) else _plain(text)


def _plain(text: str) -> object:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    return int(number) if number.is_integer() else number


def path_below(folder: Path) -> Callable[[object], str]:
    """Return a reader of paths: relative to a folder where they lie in it, with ``/``.

    An absolute path outside the folder is kept as it stands.
    """

    def read(value: object) -> str:
        if not isinstance(value, str):
            raise CellError("be a path")
        path = PurePosixPath(value.strip().replace("\\", "/"))
        if ".." in path.parts:
            raise CellError("stay below the root, without '..'")
        if "://" in value:
            raise CellError("be a file of this machine")
        inside = path.is_absolute() and path.is_relative_to(folder.absolute().as_posix())
        return str(path.relative_to(folder.absolute().as_posix()) if inside else path)

    return read
