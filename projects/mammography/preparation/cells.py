"""Cells of a table as values: each reader says what the cell must be."""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from mammography.preparation.dates import holds_date
from mammography.preparation.tables import Row, TableError
from mammography.terms import Laterality, Split, ViewPosition

T = TypeVar("T")

_MISSING = {"", "na", "n/a", "nan", "none", "null", "<na>", "nat"}
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_UID = re.compile(r"\d+(\.\d+){4,}")
_WHOLE = re.compile(r"(\d+)\.0")
_SHORTENED = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DIGITS_OF_A_WORKBOOK = 1e15
_LISTED = 20
_SHOWN = 200  # Characters of a bad cell.

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

    def need(self, row: Row, column: str, reader: Callable[[Any], T]) -> T | None:
        """Read one cell that must not be empty: ``None`` when it is bad, which is noted."""
        value = row.cells.get(column)
        if is_missing(value):
            self.add(row, column, "not be empty", value)
        return self.read(row, column, reader)

    def add(self, row: Row, column: str, rule: str, value: object) -> None:
        """Note one bad cell and the rule that it breaks."""
        text = repr(value)
        more = f"... ({len(text)} characters)" if len(text) > _SHOWN else ""
        self.found.append(f"{row.place}: {column} must {rule}, got {text[:_SHOWN]}{more}")

    def check(self) -> None:
        """Raise when something was noted.

        Raises:
            TableError: With the first 20 bad cells and the number of the others.
        """
        if self.found:
            raise TableError(str(self))

    def __str__(self) -> str:
        """Say the first 20 bad cells and the number of the others."""
        more = len(self.found) - _LISTED
        tail = f"\n  and {more} more" if more > 0 else ""
        lines = "\n  ".join(self.found[:_LISTED])
        return f"{self.name}: {len(self.found)} bad cells\n  {lines}{tail}"

    def places(self) -> list[str]:
        """Return the rows that have a bad cell, in the order in which they were read."""
        return list(dict.fromkeys(text.partition(":")[0] for text in self.found))


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
    """Spell an identifier, whatever the file made of it: ``7.0`` of a workbook is ``7``.

    Raises:
        CellError: If a spreadsheet has dropped digits, so that several have become one.
    """
    too_long = isinstance(value, float) and abs(value) >= _DIGITS_OF_A_WORKBOOK
    text = unicodedata.normalize("NFC", str(value).strip())
    if too_long or _SHORTENED.fullmatch(text):
        raise CellError("have all its digits, of which a spreadsheet has dropped some: use text")
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


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


def one_of(words: Sequence[str]) -> Callable[[object], str]:
    """Return a reader of one of some words, spelled as they are.

    Args:
        words: The words; of a text such as ``"ABCD"`` each letter.
    """
    known = tuple(words)  # "AB" is in "ABCD", but none of its letters.

    def read(value: object) -> str:
        if str(value).strip() not in known:
            raise CellError(f"be one of {', '.join(known)}" if len(known) > 1 else f"be {known[0]}")
        return str(value).strip()

    return read


def pattern(known: re.Pattern[str], form: str) -> Callable[[object], str]:
    """Return a reader of text of one form."""

    def read(value: object) -> str:
        text = str(value).strip()
        if not known.fullmatch(text):
            raise CellError(f"be {form}")
        return text

    return read


def grade(low: int, high: int) -> Callable[[object], int]:
    """Return a reader of whole numbers from ``low`` to ``high``.

    Example:
        >>> grade(0, 5)("4"), grade(0, 5)(4.0)
        (4, 4)
    """

    def read(value: object) -> int:
        text = identifier(value)
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise CellError(f"be a whole number from {low} to {high}")
        return int(text)

    return read


def number(low: float, high: float) -> Callable[[object], float]:
    """Return a reader of numbers from ``low`` to ``high``.

    Example:
        >>> number(0, 100)("24.5"), number(0, 100)(24)
        (24.5, 24.0)
    """

    def read(value: object) -> float:
        text = str(value).strip()
        if not _NUMBER.fullmatch(text) or not low <= float(text) <= high:
            raise CellError(f"be a number from {low:g} to {high:g}")
        return float(text)

    return read


def category(value: object, longest: int = 40) -> object:
    """Return a number, a yes/no or a short word, never what may name a person.

    Args:
        value: The cell.
        longest: Longest word in characters; longer ones may be free text.

    Raises:
        CellError: If the cell is a date, a UID, a DICOM name or long text, or a number
            that is not finite or has a decimal comma.

    Example:
        >>> [category(cell) for cell in ("54", 54.0, "0.5", "TRUE", "007", "C50.4")]
        [54, 54, 0.5, True, '007', 'C50.4']
    """
    refuse_date(value)
    if not isinstance(value, str | int | float):
        raise CellError("be a number or a word")
    text = str(value).strip()
    if _DECIMAL_COMMA.fullmatch(text):
        raise CellError("have a decimal point, not a comma")
    # Line breaks and other control characters: several lines are text, not a word.
    is_text = any(unicodedata.category(letter) == "Cc" for letter in text)
    if _UID.search(text) or "^" in text or len(text) > longest or is_text:
        raise CellError(
            f"be a number or a word of at most {longest} characters, not a UID or a name"
        )
    return value if isinstance(value, bool) else _plain(text)


def _plain(text: str) -> object:
    if text.lower() in ("inf", "-inf"):
        raise CellError("be a finite number")
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        raise CellError("be a finite number")
    return int(number) if number.is_integer() and abs(number) < _DIGITS_OF_A_WORKBOOK else number


def refuse_date(value: object) -> None:
    """Refuse what names a day or a month of a person.

    Raises:
        CellError: If it does.
    """
    if holds_date(value):
        raise CellError("be no date, which identifies: give an age or a number of days")


def path_below(folder: Path) -> Callable[[object], str]:
    """Return a reader of paths: relative to a folder where they lie in it, with ``/``.

    An absolute path outside the folder is kept as it stands.
    """

    def read(value: object) -> str:
        if not isinstance(value, str) or not _can_name_a_file(value):
            raise CellError("be a path")
        path = PurePosixPath(value.strip().replace("\\", "/"))
        if ".." in path.parts:
            raise CellError("stay below the root, without '..'")
        if "://" in value:
            raise CellError("be a file of this machine")
        inside = path.is_absolute() and path.is_relative_to(folder.absolute().as_posix())
        return str(path.relative_to(folder.absolute().as_posix()) if inside else path)

    return read


def file_name(value: object) -> str:
    """Read the name of a file without folders, or of what becomes a part of one.

    Raises:
        CellError: If it has a folder, or no file can be called so.

    Example:
        >>> file_name("00001_20990909_L_CC_1.dcm")
        '00001_20990909_L_CC_1.dcm'
    """
    path = path_below(Path())(value)
    if PurePosixPath(path).name != path:
        raise CellError("be the name of a file, without folders")
    return path


def _can_name_a_file(text: str) -> bool:
    """Whether text has no code that the names of files cannot have: NUL, half a pair."""
    return not any(letter == "\0" or unicodedata.category(letter) == "Cs" for letter in text)
