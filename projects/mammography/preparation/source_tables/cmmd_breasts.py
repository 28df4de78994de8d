"""The breasts of CMMD: its clinical table, row by row."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.source_tables.listing import Listing, read_listing
from mammography.preparation.tables import Row, find_table
from mammography.terms import Laterality

CLASSES = ("Benign", "Malignant")
_ABNORMALITIES = ("mass", "calcification", "both")
_SUBTYPES = ("Luminal A", "Luminal B", "HER2-enriched", "triple negative")
_STEM = "CMMD_clinicaldata_revision"
_COLUMNS = ("ID1", "LeftRight", "Age", "number", "abnormality", "classification", "subtype")
_PATIENT = re.compile(r"D[12]-\d{4}")


@dataclass(frozen=True)
class Breast:
    """One row.

    Attributes:
        patient_id: Such as ``D1-0001``.
        laterality: Side.
        images: How many images of it there are.
        classification: ``Benign`` or ``Malignant``, by biopsy.
        abnormality: ``mass``, ``calcification`` or ``both``.
        subtype: Molecular subtype of the cancer, of the second part of the study.
        age_years: Age of the patient.
    """

    patient_id: str
    laterality: Laterality
    images: int
    classification: str
    abnormality: str | None = None
    subtype: str | None = None
    age_years: int | None = None

    @property
    def values(self) -> dict[str, object]:
        """What is known, by the names of the tasks."""
        known = {
            "malignant": CLASSES.index(self.classification),
            "abnormality": self.abnormality,
            "subtype": self.subtype,
            "age_years": self.age_years,
        }
        return {name: value for name, value in known.items() if value is not None}


def read_breasts(root: Path, table: str = "") -> Listing[Breast]:
    """Read the clinical table of a folder, or the one that is named.

    Raises:
        TableError: If there is none, or it is unreadable or lacks a column.
    """
    path = find_table(root, table, _STEM)
    return read_listing(path, _COLUMNS, _RowReader)


@dataclass
class _RowReader:
    """Turn rows into breasts and note every bad cell."""

    problems: cells.Problems
    places: dict[tuple[str, Laterality], str] = field(default_factory=dict)

    def read(self, row: Row) -> Breast | None:
        """Return the breast; none when the row is refused."""
        read, need, before = self.problems.read, self.problems.need, len(self.problems.found)
        patient = need(row, "ID1", cells.pattern(_PATIENT, "D1- or D2- and four digits"))
        side = need(row, "LeftRight", cells.term(Laterality))
        images = need(row, "number", cells.grade(1, 20))
        classification = need(row, "classification", cells.one_of(CLASSES))
        abnormality = read(row, "abnormality", cells.one_of(_ABNORMALITIES))
        subtype = read(row, "subtype", cells.one_of(_SUBTYPES))
        age = read(row, "Age", cells.grade(0, 120))
        if subtype and classification == "Benign":
            self.problems.add(row, "subtype", "be empty where the breast is Benign", subtype)
        if patient and side:
            first = self.places.setdefault((patient, side), row.place)
            if first != row.place:
                self.problems.add(row, "LeftRight", f"differ from that of {first}", side.value)
        if not (patient and side and images and classification):
            return None
        breast = Breast(patient, side, images, classification, abnormality, subtype, age)
        return breast if len(self.problems.found) == before else None
