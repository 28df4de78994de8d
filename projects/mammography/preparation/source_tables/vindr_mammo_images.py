"""The images of VinDr-Mammo: its breast-level table, row by row."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.tables import Row, check_columns, find_table, read_table
from mammography.terms import Laterality, Split, ViewPosition

BIRADS = (1, 2, 3, 4, 5)
DENSITIES = "ABCD"

_STEM = "breast-level_annotations"
_LARGEST = 32767
# MD5 digests of the UIDs.
_hash = cells.pattern(re.compile(r"[0-9a-f]{32}"), "32 hex digits")


def read_birads(value: object) -> int:
    """Read ``BI-RADS 4``.

    Raises:
        CellError: If it is none from 1 to 5.
    """
    return int(cells.one_of([f"BI-RADS {grade}" for grade in BIRADS])(value)[-1])


def _density(value: object) -> str:
    return cells.one_of([f"DENSITY {letter}" for letter in DENSITIES])(value)[-1]


_READERS: dict[str, Callable[[Any], Any]] = {
    "image_id": _hash,
    "study_id": _hash,
    "laterality": cells.term(Laterality),
    "view_position": cells.term(ViewPosition),
    "height": cells.grade(1, _LARGEST),
    "width": cells.grade(1, _LARGEST),
    "breast_birads": read_birads,
    "breast_density": _density,
    "split": cells.term(Split),
}
COLUMNS = tuple(_READERS)
_OF_EXAM = ("split",)
_OF_BREAST = ("breast_birads", "breast_density")


@dataclass(frozen=True)
class Image:
    """What both tables say of an image, by the names of their columns.

    Attributes:
        image_id: Name of the file.
        study_id: Exam; nothing tells which exams are of one patient.
        laterality: Side.
        view_position: ``CC`` or ``MLO``.
        height: Rows of the file.
        width: Columns of the file.
        breast_birads: BI-RADS assessment of the breast, 1 to 5.
        breast_density: Density of the breast, ``A`` to ``D``.
        split: Official part of the exam.
        place: Row that says so.
    """

    image_id: str
    study_id: str
    laterality: Laterality
    view_position: ViewPosition
    height: int
    width: int
    breast_birads: int
    breast_density: str
    split: Split
    place: str

    @property
    def breast(self) -> tuple[str, Laterality]:
        """Exam and side."""
        return self.study_id, self.laterality


def read_image(row: Row, problems: cells.Problems) -> Image | None:
    """Read the cells of a row of either table that describe its image; none if one is bad."""
    before = len(problems.found)
    values: dict[str, Any] = {c: problems.need(row, c, read) for c, read in _READERS.items()}
    return Image(**values, place=row.place) if len(problems.found) == before else None


@dataclass(frozen=True)
class ImageTable:
    """The table.

    Attributes:
        name: Of the file.
        rows: Number of rows.
        images: Images of the rows that are understood, by their name.
        named: Names of images in any row.
        problems: What is wrong.
    """

    name: str
    rows: int
    images: dict[str, Image]
    named: frozenset[str]
    problems: cells.Problems

    @classmethod
    def read(cls, root: Path, table: str = "") -> "ImageTable":
        """Read the breast-level table of a folder, or the one that is named.

        Raises:
            TableError: If there is none, or it is unreadable or lacks a column.
        """
        path = find_table(root, table, _STEM, "breast_table")
        columns, rows = read_table(path, COLUMNS)
        check_columns(path, columns, COLUMNS)
        reader = _RowReader(cells.Problems(path.name))
        found = [reader.read(row) for row in rows]
        images = {image.image_id: image for image in found if image}
        named = frozenset(str(row.cells.get("image_id")).strip() for row in rows)
        return cls(path.name, len(rows), images, named, reader.problems)


@dataclass
class _RowReader:
    """Turn rows into images and note every bad cell."""

    problems: cells.Problems
    first: dict[tuple[Any, ...], Image] = field(default_factory=dict)

    def read(self, row: Row) -> Image | None:
        """Return the image; none when the row is refused."""
        image, before = read_image(row, self.problems), len(self.problems.found)
        if image is None:
            return None
        twin = self.first.setdefault(("image", image.image_id), image)
        if twin is not image:
            self.problems.add(row, "image_id", f"differ from that of {twin.place}", image.image_id)
        self._compare(row, image, _OF_EXAM, ("exam", image.study_id))
        self._compare(row, image, _OF_BREAST, ("breast", *image.breast))
        return image if len(self.problems.found) == before else None

    def _compare(
        self, row: Row, image: Image, columns: tuple[str, ...], unit: tuple[str, ...]
    ) -> None:
        """Compare with the first image of the same exam or breast."""
        first = self.first.setdefault(unit, image)
        for column in columns:
            if getattr(first, column) != getattr(image, column):
                rule = f"be that of {first.place}, of the same {unit[0]}"
                self.problems.add(row, column, rule, row.cells[column])
