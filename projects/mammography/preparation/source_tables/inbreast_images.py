"""The images of INbreast: its table, row by row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from mammography.preparation import cells
from mammography.preparation.source_tables.listing import Listing, read_listing
from mammography.preparation.tables import Row, find_table
from mammography.terms import Laterality, ViewPosition

GRADES = ("1", "2", "3", "4", "4a", "4b", "4c", "5", "6")

T = TypeVar("T")

_STEM = "INbreast"
_COLUMNS = ("Laterality", "View", "File Name", "ACR", "Bi-Rads")
_REMOVED = "removed"  # Stands for what would tell of a person.
_number = cells.pattern(re.compile(r"\d+"), "a number, that of the file")
_period = cells.pattern(re.compile(r"(19|20)\d{4}"), "a year and a part of it, as six digits")


@dataclass(frozen=True)
class Image:
    """One row.

    Attributes:
        number: First part of the name of the file.
        laterality: Side.
        view_position: ``CC``, ``MLO`` or another projection.
        birads: One of ``GRADES``.
        density: ``A`` to ``D``, when known.
        period: When it was taken, to tell the exams of a patient apart.
        patient_id: As the table has it, when it does.
        age_years: Age of the patient, when the table has it.
        place: Row that says so.
    """

    number: str
    laterality: Laterality
    view_position: ViewPosition
    birads: str
    density: str | None = None
    period: str | None = None
    patient_id: str | None = None
    age_years: int | None = None
    place: str = ""


def read_images(root: Path, table: str = "") -> Listing[Image]:
    """Read ``INbreast.csv`` of a folder, or the table that is named.

    Raises:
        TableError: If there is none, or it is unreadable or lacks a column.
    """
    path = find_table(root, table, _STEM)
    return read_listing(path, _COLUMNS, _RowReader)


@dataclass
class _RowReader:
    """Turn rows into images and note every bad cell."""

    problems: cells.Problems
    places: dict[str, str] = field(default_factory=dict)

    def read(self, row: Row) -> Image | None:
        """Return the image; none when the row is refused."""
        read, need, before = self.problems.read, self.problems.need, len(self.problems.found)
        number = need(row, "File Name", _spelled(_number))
        side = need(row, "Laterality", cells.term(Laterality))
        view = need(row, "View", cells.term(ViewPosition))
        birads = need(row, "Bi-Rads", _birads)
        density = read(row, "ACR", cells.grade(1, 4))
        period = read(row, "Acquisition date", _spelled(_period))
        patient = read(row, "Patient ID", _unless_removed(cells.identifier))
        age = read(row, "Patient age", _unless_removed(cells.grade(0, 120)))
        if number:
            first = self.places.setdefault(number, row.place)
            if first != row.place:
                self.problems.add(row, "File Name", f"differ from that of {first}", number)
        if len(self.problems.found) > before or not (number and side and view and birads):
            return None
        letter = "ABCD"[density - 1] if density else None
        return Image(number, side, view, birads, letter, period, patient, age, row.place)


def _birads(value: object) -> str:
    return cells.one_of(GRADES)(cells.identifier(value).lower())


def _spelled(reader: Callable[[object], T]) -> Callable[[object], T]:
    """Return a reader of numbers that are names, whatever a workbook made of them."""
    return lambda value: reader(cells.identifier(value))


def _unless_removed(reader: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda value: None if str(value).strip().lower() == _REMOVED else reader(value)
