"""The findings of VinDr-Mammo: its table of boxes, row by row."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.source_tables.vindr_mammo_images import (
    COLUMNS,
    Image,
    ImageTable,
    read_birads,
    read_image,
)
from mammography.preparation.tables import Row, check_columns, find_table, read_table
from mammography.structures.geometry import Box

CATEGORIES = {
    "Mass": "mass",
    "Suspicious Calcification": "suspicious_calcification",
    "Asymmetry": "asymmetry",
    "Focal Asymmetry": "focal_asymmetry",
    "Global Asymmetry": "global_asymmetry",
    "Architectural Distortion": "architectural_distortion",
    "Skin Thickening": "skin_thickening",
    "Skin Retraction": "skin_retraction",
    "Nipple Retraction": "nipple_retraction",
    "Suspicious Lymph Node": "suspicious_lymph_node",
}

_STEM = "finding_annotations"
_NOTHING = "No Finding"
_LIST, _BIRADS, _ENDS = "finding_categories", "finding_birads", ("xmin", "ymin", "xmax", "ymax")
_COLUMNS = (*COLUMNS, _LIST, _BIRADS, *_ENDS)
_ITEM = re.compile(r"""\s*(['"])(.*)\1\s*""")


@dataclass(frozen=True)
class Mark:
    """One box on an image.

    Attributes:
        image_id: The image.
        box: Left, top, right, bottom, in pixels of the file and within it.
        categories: What it is, one or several of the values of :data:`CATEGORIES`.
        birads: BI-RADS assessment of the finding, when there is one.
        cut: Whether the table has it beyond the border of the image.
    """

    image_id: str
    box: Box
    categories: tuple[str, ...]
    birads: int | None = None
    cut: bool = False


@dataclass(frozen=True)
class FindingTable:
    """The table.

    Attributes:
        name: Of the file.
        rows: Number of rows.
        marks: The boxes of the rows that are understood.
        named: Names of images in any row.
        problems: What is wrong.
    """

    name: str
    rows: int
    marks: tuple[Mark, ...]
    named: frozenset[str]
    problems: cells.Problems

    @classmethod
    def read(cls, root: Path, images: ImageTable, table: str = "") -> "FindingTable":
        """Read the table of findings of a folder, or the one that is named.

        Args:
            root: The folder.
            images: What the breast-level table says, which must be the same.
            table: The table, relative to the folder.

        Raises:
            TableError: If there is none, or it is unreadable or lacks a column.
        """
        path = find_table(root, table, _STEM, "finding_table")
        columns, rows = read_table(path, _COLUMNS)
        check_columns(path, columns, _COLUMNS)
        reader = _RowReader(images, cells.Problems(path.name))
        found = [reader.read(row) for row in rows]
        named = frozenset(str(row.cells.get("image_id")).strip() for row in rows)
        marks = tuple(mark for mark in found if mark)
        return cls(path.name, len(rows), marks, named, reader.problems)


@dataclass
class _RowReader:
    """Turn rows into boxes and note every bad cell."""

    images: ImageTable
    problems: cells.Problems
    first: dict[str, tuple[bool, str]] = field(default_factory=dict)

    def read(self, row: Row) -> Mark | None:
        """Return the box; none when the row has none, or is refused."""
        before = len(self.problems.found)
        image = read_image(row, self.problems)
        names = self.problems.need(row, _LIST, _categories)
        birads = self.problems.read(row, _BIRADS, read_birads)
        if image:
            self._check_image(row, image)
        if image and names is not None:
            self._check_place(row, image, names)
        if names == ():
            self._check_no_box(row)
        found = self._box(row, image) if names else None
        if len(self.problems.found) != before or not (image and names and found):
            return None
        box, cut = found
        return Mark(image.image_id, box, names, birads, cut)

    def _check_image(self, row: Row, image: Image) -> None:
        """Compare the image with what the breast-level table says of it."""
        other = self.images.images.get(image.image_id)
        if other is None:
            # One whose row is refused there needs no second refusal.
            if image.image_id not in self.images.named:
                rule = f"be an image of {self.images.name}"
                self.problems.add(row, "image_id", rule, image.image_id)
            return
        for column in COLUMNS:
            if getattr(image, column) != getattr(other, column):
                rule = f"be that of {self.images.name}, {other.place}"
                self.problems.add(row, column, rule, row.cells[column])

    def _check_place(self, row: Row, image: Image, names: tuple[str, ...]) -> None:
        """Refuse a second row of an image without findings."""
        nothing, place = self.first.setdefault(image.image_id, (not names, row.place))
        if place != row.place and (nothing or not names):
            rule = f"agree with {place}, of the same image: {_NOTHING} stands alone"
            self.problems.add(row, _LIST, rule, row.cells[_LIST])

    def _check_no_box(self, row: Row) -> None:
        for column in _ENDS:
            if not cells.is_missing(row.cells[column]):
                rule = f"be empty where there is {_NOTHING}"
                self.problems.add(row, column, rule, row.cells[column])

    def _box(self, row: Row, image: Image | None) -> tuple[Box, bool] | None:
        """Return the part of the box on the image, and whether that is not all of it."""
        ends = [self.problems.need(row, column, _number) for column in _ENDS]
        known = [end for end in ends if end is not None]
        if len(known) != len(_ENDS):
            return None
        left, top, right, bottom = known
        for low, high, column in ((left, right, "xmax"), (top, bottom, "ymax")):
            if low >= high:
                self.problems.add(row, column, f"be above {low:g}", row.cells[column])
                return None
        if image is None:
            return None
        inside = max(left, 0.0), max(top, 0.0), min(right, image.width), min(bottom, image.height)
        if inside[0] >= inside[2] or inside[1] >= inside[3]:
            rule = f"lie on the image of {image.height} x {image.width} pixels"
            self.problems.add(row, "xmin", rule, f"{left:g}, {top:g}, {right:g}, {bottom:g}")
            return None
        return inside, inside != (left, top, right, bottom)


def _categories(value: object) -> tuple[str, ...]:
    """Read a list such as ``['Mass', 'Skin Retraction']``; it is empty for No Finding."""
    text = str(value).strip()
    items = [_ITEM.fullmatch(item) for item in text[1:-1].split(",")]
    names = [item[2] for item in items if item]
    if text[:1] + text[-1:] == "[]" and len(names) == len(items) == len(set(names)):
        if names == [_NOTHING]:
            return ()
        if all(name in CATEGORIES for name in names):
            return tuple(CATEGORIES[name] for name in names)
    raise cells.CellError(f"be ['{_NOTHING}'] or a list of some of {', '.join(CATEGORIES)}")


def _number(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in str(value):
        raise cells.CellError("be a number of pixels")
    return number
