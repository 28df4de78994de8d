"""The original of end2end: its table of lesions, and the one of breasts."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.source_record import FindingMask
from mammography.preparation.source_tables.end2end_lists import truth
from mammography.preparation.source_tables.end2end_pictures import Film
from mammography.preparation.tables import SUFFIXES, Row, check_columns, find_table, read_table
from mammography.terms import Laterality, ViewPosition

_KINDS = {"calc": "calcification", "mass": "mass"}
_PATHOLOGIES = ("MALIGNANT", "BENIGN", "BENIGN_WITHOUT_CALLBACK")
_LESIONS, _BREASTS = "roi_mask_path", "pat_side_cancer"
_LESION_COLUMNS = ("patient_id", "side", "view", "abn_num", "pathology", "type")
_BREAST_COLUMNS = ("patient_id", "side", "cancer")
_SET_WORDS = ("Training", "Test")  # The original takes the first for all patients.

Cancers = Mapping[tuple[str, Laterality], bool]


@dataclass(frozen=True)
class Lesion:
    """One row: a lesion on one image.

    Attributes:
        film: Patient, side and view.
        name: The same as the table spells it, which names the files.
        number: Which lesion of its kind.
        kind: ``calc`` or ``mass``.
        pathology: ``MALIGNANT``, ``BENIGN`` or ``BENIGN_WITHOUT_CALLBACK``.
    """

    film: Film
    name: str
    number: int
    kind: str
    pathology: str

    @property
    def malignant(self) -> bool:
        """Whether it is cancer."""
        return self.pathology == "MALIGNANT"


@dataclass
class LesionTable:
    """The table of lesions.

    Attributes:
        rows: Number of rows.
        lesions: One per row that is understood.
        problems: What is wrong.
    """

    rows: int = 0
    lesions: list[Lesion] = field(default_factory=list)
    problems: cells.Problems = field(default_factory=lambda: cells.Problems(_LESIONS))

    @property
    def films(self) -> dict[Film, list[Lesion]]:
        """Lesions by image."""
        films: dict[Film, list[Lesion]] = {}
        for lesion in self.lesions:
            films.setdefault(lesion.film, []).append(lesion)
        return films

    @property
    def facts(self) -> dict[str, Any]:
        """Plain counts."""
        return {
            "lesions": len(self.lesions),
            "pathology_of_lesions": dict(Counter(lesion.pathology for lesion in self.lesions)),
            "type_of_lesions": dict(Counter(lesion.kind for lesion in self.lesions)),
        }


def has_lesions(root: Path, table: str = "") -> bool:
    """Whether a folder has a table of lesions, or one is named."""
    return bool(table) or any((root / f"{_LESIONS}{suffix}").is_file() for suffix in SUFFIXES)


def read_lesions(root: Path, table: str, cancers: Cancers) -> LesionTable:
    """Read the table of lesions.

    Args:
        root: Its folder.
        table: Its name, if it is not ``roi_mask_path``.
        cancers: Which breasts have cancer, to compare with.

    Raises:
        TableError: If it is absent or unreadable, or lacks a column.
    """
    path = find_table(root, table, _LESIONS)
    columns, rows = read_table(path)
    check_columns(path, columns, _LESION_COLUMNS)
    found = LesionTable(len(rows), [], cells.Problems(path.name))
    places: dict[tuple[Film, str, int], str] = {}
    for row in rows:
        before = len(found.problems.found)
        lesion = _lesion(row, found.problems)
        if lesion is None:
            continue
        first = places.setdefault((lesion.film, lesion.kind, lesion.number), row.place)
        if first != row.place:
            found.problems.add(row, "abn_num", f"differ from that of {first}", lesion.number)
        if lesion.malignant and cancers.get(lesion.film[:2]) is False:
            rule = f"not be so where {_BREASTS} says that the breast has no cancer"
            found.problems.add(row, "pathology", rule, lesion.pathology)
        if len(found.problems.found) == before:
            found.lesions.append(lesion)
    return found


def _lesion(row: Row, problems: cells.Problems) -> Lesion | None:
    need = problems.need
    # Files are called by it.
    patient = need(row, "patient_id", lambda cell: cells.file_name(cells.identifier(cell)))
    side = need(row, "side", cells.term(Laterality))
    view = need(row, "view", cells.term(ViewPosition))
    number = need(row, "abn_num", cells.grade(1, 999))
    pathology = need(row, "pathology", cells.one_of(_PATHOLOGIES))
    kind = need(row, "type", cells.one_of(tuple(_KINDS)))
    if not (patient and side and view and number and pathology and kind):
        return None
    name = "_".join([patient, *(str(row.cells[column]).strip() for column in ("side", "view"))])
    return Lesion((patient, side, view), name, number, kind, pathology)


def read_cancers(root: Path) -> tuple[Cancers, cells.Problems]:
    """Read which breasts have cancer, if there is such a table.

    Raises:
        TableError: If it is unreadable or lacks a column.
    """
    problems = cells.Problems(_BREASTS)
    if not any((root / f"{_BREASTS}{suffix}").is_file() for suffix in SUFFIXES):
        return {}, problems
    path = find_table(root, "", _BREASTS)
    columns, rows = read_table(path)
    check_columns(path, columns, _BREAST_COLUMNS)
    problems = cells.Problems(path.name)
    found: dict[tuple[str, Laterality], bool] = {}
    for row in rows:
        patient = problems.need(row, "patient_id", cells.identifier)
        side = problems.need(row, "side", cells.term(Laterality))
        cancer = problems.need(row, "cancer", truth)
        if not patient or not side or cancer is None:
            continue
        if found.setdefault((patient, side), cancer) is not cancer:
            problems.add(row, "cancer", "be one for a breast", row.cells["cancer"])
    return found, problems


def masks_of_lesions(
    lesions: Iterable[Lesion], path: Callable[[object], str]
) -> tuple[FindingMask, ...]:
    """Return the masks of the lesions of an image.

    Args:
        lesions: Of the image.
        path: Reader of paths that start from the folder of the masks.
    """
    masks = []
    for lesion in lesions:
        names = (
            f"{lesion.kind.capitalize()}-{word}_{lesion.name}_{lesion.number}.png"
            for word in _SET_WORDS
        )
        first, *others = map(path, names)
        masks.append(FindingMask(first, _KINDS[lesion.kind], lesion.malignant, tuple(others)))
    return tuple(masks)
