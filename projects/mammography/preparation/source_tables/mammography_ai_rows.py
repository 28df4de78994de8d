"""The images of MammographyAI: the rows of its tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mammography.preparation import cells
from mammography.preparation.contents import encode_labels
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.preparation.tables import Row
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Laterality, Split, ViewPosition

DATASETS = ("csaw", "embed")
_GROUPS = ("African American or Black", "Caucasian or White")
_MALE = 5  # Stands in EMBED's column of the density.


@dataclass
class RowReader:
    """Turn rows into records and note every bad cell.

    Args:
        path: Reader of paths.
        tasks: Some of ``malignant`` and ``density``.
        pattern: What finds patient, side or view in a path.
        patients_are: ``column``, ``pattern`` or ``each image``.
        ethnicity: Whether the group of ``ETHNICITY_DESC`` is carried.
    """

    path: Callable[[object], str]
    tasks: dict[str, Task]
    pattern: NamePattern | None
    patients_are: str
    ethnicity: bool
    first_rows: dict[str, str] = field(default_factory=dict)
    problems: cells.Problems = field(init=False)

    def read(self, name: str, rows: list[Row], split: Split | None) -> Iterator[ImageRecord]:
        """Yield the records of the rows that are understood; ``problems`` has the others."""
        self.problems = cells.Problems(name)
        for row in rows:
            before = len(self.problems.found)
            record = self._record(row, split)
            if record and len(self.problems.found) == before:
                yield record

    def _record(self, row: Row, split: Split | None) -> ImageRecord | None:
        read, need = self.problems.read, self.problems.need
        path = self._path(row)
        named = self._named(row, path)
        dataset = need(row, "datasettype", lambda cell: cells.one_of(DATASETS)(str(cell).lower()))
        values = {
            "malignant": read(row, "cancer", _truth),
            "density": read(row, "tissueden", _density) or None,
        }
        laterality = self._told_or_named(row, "laterality", cells.term(Laterality), named)
        view = self._told_or_named(row, "view_position", cells.term(ViewPosition), named)
        group = read(row, "ETHNICITY_DESC", _group) if self.ethnicity else None
        patient = self._patient(row, path, named)
        if not (path and patient and dataset):
            return None
        return ImageRecord(
            img_path=path,
            patient_id=f"{dataset}/{patient}",  # The two give the same numbers to others.
            laterality=laterality,
            view_position=view,
            split=split,
            gt_label=encode_labels(self.tasks, values),
            clinic_vars={"datasettype": dataset} | ({"ethnicity": group} if group else {}),
        )

    def _path(self, row: Row) -> str | None:
        path = self.problems.need(row, "path_eq", self.path)
        place = f"{self.problems.name} {row.place}"
        if path and self.first_rows.setdefault(path, place) != place:
            self.problems.add(row, "path_eq", f"differ from that of {self.first_rows[path]}", path)
        return path

    def _named(self, row: Row, path: str | None) -> dict[str, Any]:
        """Return what the path tells by the pattern."""
        if self.pattern is None or path is None:
            return {}
        find = self.pattern.read
        return self.problems.read(row, "path_eq", lambda _: find(path)) or {}

    def _told_or_named(
        self, row: Row, column: str, reader: Callable[[Any], Any], named: dict[str, Any]
    ) -> Any:
        """Read what a column tells, or the path, and not something else each."""
        told, name = self.problems.read(row, column, reader), named.get(column)
        if told and name and told != name:
            self.problems.add(row, column, f"be {name} as the path says", row.cells[column])
        return told or name

    def _patient(self, row: Row, path: str | None, named: dict[str, Any]) -> str | None:
        if self.patients_are == "column":
            return self.problems.need(row, "patient_id", cells.identifier)
        return named.get("patient") if self.patients_are == "pattern" else path


def _truth(value: object) -> str:
    """Read 0 or 1, whatever a data frame made of it: ``1.0``, ``True``."""
    word = {"true": "1", "false": "0"}.get(str(value).strip().lower(), value)
    return str(cells.grade(0, 1)(word))


def _density(value: object) -> str:
    """Read 1 to 4 as A to D; empty for a man."""
    grade = cells.grade(1, _MALE)(value)
    return "" if grade == _MALE else "ABCD"[grade - 1]


def _group(value: object) -> str:
    """Return one of the three groups of the system, in which black has two spaces."""
    word = " ".join(str(value).split())
    return word if word in _GROUPS else "other"
