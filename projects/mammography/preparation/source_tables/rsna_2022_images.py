"""The images of RSNA 2022: its training table, row by row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.source_tables.listing import Listing, read_listing
from mammography.preparation.tables import Row, find_table
from mammography.terms import Laterality, ViewPosition

# The axillary tail is a projection of its own here, in DICOM a modifier of others.
AXILLARY_TAIL = "AT"
VIEWS = (*(view.value for view in ViewPosition), AXILLARY_TAIL)

SITES = ("1", "2")

_STEM = "train"
_DIGITS = re.compile(r"\d{1,18}")
_TRUTH = {"0": 0, "1": 1, "false": 0, "true": 1}
_RECALLED = 0


def _code(value: object) -> str:
    return cells.pattern(_DIGITS, "a whole number")(cells.identifier(value))


def _flag(value: object) -> int:
    text = cells.identifier(value).lower()
    if text not in _TRUTH:
        raise cells.CellError("be one of 0, 1, False, True")
    return _TRUTH[text]


_NEEDED: dict[str, Callable[[Any], Any]] = {
    "site_id": lambda value: cells.one_of(SITES)(cells.identifier(value)),
    "patient_id": _code,
    "image_id": _code,
    "laterality": cells.term(Laterality),
    "view": cells.one_of(VIEWS),
    "cancer": _flag,
    "biopsy": _flag,
    "invasive": _flag,
    "implant": _flag,
    "machine_id": _code,
    "difficult_negative_case": _flag,
}
_KNOWN: dict[str, Callable[[Any], Any]] = {
    "age": cells.grade(0, 120),
    "BIRADS": cells.grade(0, 2),
    "density": cells.one_of("ABCD"),
}
_COLUMNS = (*_NEEDED, *_KNOWN)


@dataclass(frozen=True)
class Image:
    """One row.

    Attributes:
        site_id: Hospital, one of :data:`SITES`.
        patient_id: Patient.
        image_id: Name of the file.
        laterality: Side.
        view: One of :data:`VIEWS`.
        machine_id: Machine, as a code.
        implant: 1 where there is one; at site 1 in either breast of the patient.
        values: What is known, by the names of the tasks.
    """

    site_id: str
    patient_id: str
    image_id: str
    laterality: Laterality
    view: str
    machine_id: str
    implant: int
    values: dict[str, Any]

    @property
    def breast(self) -> tuple[str, Laterality]:
        """Patient and side."""
        return self.patient_id, self.laterality

    @property
    def view_position(self) -> ViewPosition | None:
        """The view; none for the axillary tail, which has no name among ours."""
        return None if self.view == AXILLARY_TAIL else ViewPosition(self.view)


def read_images(root: Path, table: str = "") -> Listing[Image]:
    """Read the training table of a folder, or the one that is named.

    Raises:
        TableError: If there is none, or it is unreadable or lacks a column.
    """
    path = find_table(root, table, _STEM)
    return read_listing(path, _COLUMNS, _RowReader, only=_COLUMNS)


@dataclass
class _RowReader:
    """Turn rows into images and note every bad cell."""

    problems: cells.Problems
    places: dict[str, str] = field(default_factory=dict)
    cancers: dict[tuple[str, Laterality], tuple[int, str]] = field(default_factory=dict)

    def read(self, row: Row) -> Image | None:
        """Return the image; none when the row is refused."""
        need, read, before = self.problems.need, self.problems.read, len(self.problems.found)
        cell: dict[str, Any] = {name: need(row, name, reader) for name, reader in _NEEDED.items()}
        cell |= {name: read(row, name, reader) for name, reader in _KNOWN.items()}
        if len(self.problems.found) == before:
            self._check(row, cell)
        if len(self.problems.found) != before:
            return None
        own = ("site_id", "patient_id", "image_id", "laterality", "view", "machine_id", "implant")
        return Image(**{name: cell[name] for name in own}, values=_values(cell))

    def _check(self, row: Row, cell: dict[str, Any]) -> None:
        """Compare cells that must agree: with each other, and with those of other rows."""
        first = self.places.setdefault(cell["image_id"], row.place)
        if first != row.place:
            self.problems.add(row, "image_id", f"differ from that of {first}", cell["image_id"])
        if cell["invasive"] and not cell["cancer"]:
            self.problems.add(row, "invasive", "be 0 where cancer is 0", cell["invasive"])
        breast = cell["patient_id"], cell["laterality"]
        cancer, place = self.cancers.setdefault(breast, (cell["cancer"], row.place))
        if cancer != cell["cancer"]:
            rule = f"be that of {place}, of the same breast"
            self.problems.add(row, "cancer", rule, cell["cancer"])


def _values(cell: dict[str, Any]) -> dict[str, Any]:
    """Name what is known after the tasks."""
    birads = cell["BIRADS"]
    values = {
        "malignant": cell["cancer"],
        # Of a breast without cancer there is nothing to be said.
        "invasive": cell["invasive"] if cell["cancer"] else None,
        "biopsy": cell["biopsy"],
        "birads": birads,
        "recall": None if birads is None else int(birads == _RECALLED),
        "density": cell["density"],
        "difficult_negative": cell["difficult_negative_case"],
        "age_years": cell["age"],
    }
    return {name: value for name, value in values.items() if value is not None}
