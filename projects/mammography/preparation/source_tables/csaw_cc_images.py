"""The images of CSAW-CC: its table, row by row."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.source_tables.listing import Listing, read_listing
from mammography.preparation.tables import SUFFIXES, Row, find_table
from mammography.terms import Laterality, ViewPosition

# What an image shows, as far as the table tells.
CONTROL = "control"
SCREEN_DETECTED = "screen-detected cancer"
INTERVAL = "interval cancer"
PRIOR = "prior of a cancer"
HEALTHY = "other breast of a case"
UNKNOWN_SIDE = "case without side"
UNKNOWN_TIME = "case without rad_timing"
SITUATIONS = (CONTROL, SCREEN_DETECTED, INTERVAL, PRIOR, HEALTHY, UNKNOWN_SIDE, UNKNOWN_TIME)

TYPES = ("in situ", "invasive up to 15 mm", "invasive over 15 mm")
MEASURES = {  # By LIBRA, image by image.
    "percent_density": ("libra_percentdensity", 100),
    "dense_area": ("libra_densearea", 1e9),
    "breast_area": ("libra_breastarea", 1e9),
}

_TIMINGS = (SCREEN_DETECTED, INTERVAL, PRIOR)
_AGE_GROUPS = {1: "40-55", 2: "over 55"}
_STEMS = ("CSAW-CC_breast_cancer_screening_data", "anon_dataset_nonhidden_211125")
_COLUMNS = (
    "anon_patientid", "exam_year", "anon_filename", "x_age", "x_case", "x_cancer_laterality",
    "x_type", "x_lymphnode_met", "rad_timing", "rad_recall", "imagelaterality", "viewposition",
    *(column for column, _ in MEASURES.values()),
)  # fmt: skip
_OF_CASES = ("x_cancer_laterality", "x_type", "x_lymphnode_met", "rad_timing")


@dataclass(frozen=True)
class Image:
    """One row.

    Attributes:
        name: Of its file.
        patient_id: Of the woman.
        year: Of the exam.
        laterality: Side of the image.
        view_position: Projection.
        situation: One of :data:`SITUATIONS`.
        values: What is known, by the names of the tasks, but for ``malignant``.
        clinic_vars: Age, as a group or in years.
    """

    name: str
    patient_id: str
    year: int
    laterality: Laterality
    view_position: ViewPosition
    situation: str
    values: dict[str, object] = field(default_factory=dict)
    clinic_vars: dict[str, object] = field(default_factory=dict)

    @property
    def exam_id(self) -> str:
        """The exams of a year: nothing in the table tells them apart."""
        return f"{self.patient_id} {self.year}"


def read_images(root: Path, table: str = "") -> Listing[Image]:
    """Read the table of a folder, or the one that is named.

    Raises:
        TableError: If there is none, or it is unreadable or lacks a column.
    """
    path = find_table(root, table, _stem(root))
    return read_listing(path, _COLUMNS, _RowReader, only=_COLUMNS)


def _stem(root: Path) -> str:
    """Return the name of the release that lies in a folder; the newest when none does."""
    there = (stem for stem in _STEMS if any((root / f"{stem}{end}").is_file() for end in SUFFIXES))
    return next(there, _STEMS[0])


@dataclass
class _RowReader:
    """Turn rows into images and note every bad cell."""

    problems: cells.Problems
    files: dict[str, str] = field(default_factory=dict)
    women: dict[tuple[str, str], tuple[object, str]] = field(default_factory=dict)

    def read(self, row: Row) -> Image | None:
        """Return the image; none when the row is refused."""
        need, before = self.problems.need, len(self.problems.found)
        name = need(row, "anon_filename", cells.file_name)
        patient = need(row, "anon_patientid", cells.identifier)
        year = need(row, "exam_year", cells.grade(1980, 2100))
        side = need(row, "imagelaterality", cells.term(Laterality))
        view = need(row, "viewposition", cells.term(ViewPosition))
        case = need(row, "x_case", cells.grade(0, 1))
        cancer = self.problems.read(row, "x_cancer_laterality", cells.term(Laterality))
        timing = self.problems.read(row, "rad_timing", cells.grade(1, len(_TIMINGS)))
        age = self.problems.read(row, "x_age", _age)
        values = self._values(row)
        if name is None or patient is None or year is None or side is None or view is None:
            return None
        self._check(row, name, patient, case, cancer)
        if case is None or len(self.problems.found) > before:
            return None
        situation = _situation(case, side, cancer, timing)
        return Image(name, patient, year, side, view, situation, values, age or {})

    def _values(self, row: Row) -> dict[str, object]:
        read = self.problems.read
        kind = read(row, "x_type", cells.grade(1, len(TYPES)))
        values: dict[str, object] = {
            "cancer_type": None if kind is None else TYPES[kind - 1],
            "node_metastasis": read(row, "x_lymphnode_met", cells.grade(0, 1)),
            "recall": read(row, "rad_recall", cells.grade(0, 1)),
        }
        for name, (column, most) in MEASURES.items():
            values[name] = read(row, column, cells.number(0, most))
        return {name: value for name, value in values.items() if value is not None}

    def _check(
        self, row: Row, name: str, patient: str, case: int | None, cancer: Laterality | None
    ) -> None:
        """Compare cells that must agree: with each other, and with those of other rows."""
        first = self.files.setdefault(name, row.place)
        if first != row.place:
            self.problems.add(row, "anon_filename", f"differ from that of {first}", name)
        self._agree(row, patient, "x_case", case)
        self._agree(row, patient, "x_cancer_laterality", cancer)
        if case == 0:
            for column in _OF_CASES:
                if not cells.is_missing(row.cells[column]):
                    rule = "be empty where x_case is 0"
                    self.problems.add(row, column, rule, row.cells[column])

    def _agree(self, row: Row, patient: str, column: str, value: object) -> None:
        """Refuse a woman of whom two rows tell different things."""
        if value is None:
            return
        first, place = self.women.setdefault((patient, column), (value, row.place))
        if value != first:
            rule = f"be {first} as in {place}, of the same woman"
            self.problems.add(row, column, rule, row.cells[column])


def _situation(case: int, side: Laterality, cancer: Laterality | None, timing: int | None) -> str:
    if not case:
        return CONTROL
    if cancer is None:
        return UNKNOWN_SIDE
    if side is not cancer:
        return HEALTHY
    return UNKNOWN_TIME if timing is None else _TIMINGS[timing - 1]


def _age(value: object) -> dict[str, object]:
    """Read one of the two age groups, or an age as earlier releases may have it."""
    number = cells.grade(1, 120)(value)
    if number in _AGE_GROUPS:
        return {"age_group": _AGE_GROUPS[number]}
    if number < 18:
        raise cells.CellError("be 1 (40-55 years), 2 (over 55) or an age")
    return {"age_years": number}


def find_files(root: Path, names: Iterable[str]) -> dict[str, str]:
    """Find files by their names alone, in whatever folders.

    Args:
        root: Where to look; links to folders are not followed.
        names: What to find.

    Returns:
        Name to path relative to the root, of those that are there.

    Raises:
        ValueError: If a name is there twice.
    """
    wanted = set(names)
    found: dict[str, str] = {}
    for folder, _, files in os.walk(root):
        for name in sorted(wanted.intersection(files)):
            path = Path(folder, name).relative_to(root).as_posix()
            if name in found:
                raise ValueError(
                    f"{root} must hold one file {name}, got {found[name]} and {path}: "
                    "give the folder of one download as --root"
                )
            found[name] = path
    return found
