"""The lesions of CBIS-DDSM: its four official tables, row by row."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mammography.preparation import cells
from mammography.preparation.tables import Row, TableError, check_columns, read_table
from mammography.terms import Laterality, Split, ViewPosition

KINDS = ("mass", "calcification")
PATHOLOGIES = ("BENIGN_WITHOUT_CALLBACK", "BENIGN", "MALIGNANT")

_FILE = "{}_case_description_{}_set.csv"
_TABLES = {
    _FILE.format(kind[:4], split): (kind, split)
    for kind in KINDS
    for split in (Split.TRAIN, Split.TEST)
}
_DENSITIES = ("breast_density", "breast density")  # Of masses, of calcifications.
_SIDE, _VIEW, _PATH = "left or right breast", "image view", "image file path"
_CUT_OUT, _MASK = "cropped image file path", "ROI mask file path"
_COLUMNS = (
    "patient_id", _SIDE, _VIEW, "abnormality id", "abnormality type",
    "assessment", "pathology", "subtlety", _PATH, _CUT_OUT, _MASK,
)  # fmt: skip
_FOLDER_WORDS = {Split.TRAIN: "Training", Split.TEST: "Test"}
_SIDE_WORDS = {Laterality.LEFT: "LEFT", Laterality.RIGHT: "RIGHT"}
_PATIENT = re.compile(r"P_\d{5}")

Film = tuple[str, Laterality, ViewPosition]


@dataclass(frozen=True)
class Lesion:
    """One row: a lesion on one image.

    Attributes:
        film: Patient, side and view.
        kind: ``mass`` or ``calcification``.
        split: Official part of the table.
        path: File of the whole image, as the table has it.
        pathology: One of :data:`PATHOLOGIES`.
        density: 1 to 4; none where the table has 0.
        assessment: BI-RADS 0 to 5.
        subtlety: 1 (subtle) to 5 (obvious); none where the table has 0.
        mask_path: File of its mask, as the table has it; the file of the patch that was
            cut out may be it just as well, for the columns are interchanged in places.
    """

    film: Film
    kind: str
    split: Split
    path: str
    pathology: str
    density: int | None = None
    assessment: int | None = None
    subtlety: int | None = None
    mask_path: str | None = None

    @property
    def patient_id(self) -> str:
        """The patient, such as ``P_00005``."""
        return self.film[0]


@dataclass
class LesionTables:
    """All four tables.

    Attributes:
        lesions: One per row that is understood: masses first, training first.
        rows: Table to number of rows.
        problems: What is wrong, table by table.
    """

    lesions: list[Lesion] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    problems: list[cells.Problems] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "LesionTables":
        """Read the tables in a folder.

        Raises:
            TableError: If one is absent, unreadable or lacks a column.
        """
        absent = [name for name in _TABLES if not (folder / name).is_file()]
        if absent:
            raise TableError(
                f"{folder} must hold the tables {', '.join(absent)}: "
                "name their folder with --source-options tables=DIR"
            )
        tables = cls()
        densities: dict[Film, tuple[int, str]] = {}
        for name, (kind, split) in _TABLES.items():
            path = folder / name
            columns, rows = read_table(path)
            reader = _RowReader(_density_column(path, columns), kind, split, densities, path.name)
            found = [reader.read(row) for row in rows]
            tables.lesions += [lesion for lesion in found if lesion]
            tables.rows[name] = len(rows)
            tables.problems.append(reader.problems)
        return tables


def _density_column(path: Path, columns: list[str]) -> str:
    """Check the columns and return the one of the density, which has two spellings."""
    density = [name for name in _DENSITIES if name in columns]
    check_columns(path, columns, _COLUMNS)
    if len(density) != 1:
        raise TableError(
            f"{path}: columns must have one of {', '.join(_DENSITIES)}, got {', '.join(columns)}"
        )
    return density[0]


@dataclass
class _RowReader:
    """Turn the rows of one table into lesions and note every bad cell."""

    density: str
    kind: str
    split: Split
    densities: dict[Film, tuple[int, str]]
    table: str
    problems: cells.Problems = field(init=False)
    places: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.problems = cells.Problems(self.table)

    def read(self, row: Row) -> Lesion | None:
        """Return the lesion; none when the row is refused."""
        read, need, before = self.problems.read, self.problems.need, len(self.problems.found)
        patient = need(row, "patient_id", cells.pattern(_PATIENT, "P_ and five digits"))
        side = need(row, _SIDE, cells.term(Laterality))
        view = need(row, _VIEW, cells.term(ViewPosition))
        number = need(row, "abnormality id", cells.identifier)
        pathology = need(row, "pathology", cells.one_of(PATHOLOGIES))
        path = need(row, _PATH, _path)
        need(row, "abnormality type", cells.one_of([self.kind]))
        density = read(row, self.density, cells.grade(0, 4))
        assessment = read(row, "assessment", cells.grade(0, 5))
        subtlety = read(row, "subtlety", cells.grade(0, 5))
        part_paths = {column: read(row, column, _path) for column in (_CUT_OUT, _MASK)}
        if patient and side and view and pathology and path and number:
            film = (patient, side, view)
            self._check(row, film, path, number, density)
            self._check_parts(row, path, number, part_paths)
            if len(self.problems.found) == before:
                # 0 says that nobody told: there is no such density or subtlety.
                return Lesion(
                    film,
                    self.kind,
                    self.split,
                    path,
                    pathology,
                    density=density or None,
                    assessment=assessment,
                    subtlety=subtlety or None,
                    mask_path=part_paths[_MASK] or part_paths[_CUT_OUT],
                )
        return None

    def _check(self, row: Row, film: Film, path: str, number: str, density: int | None) -> None:
        """Compare cells that must agree: with each other, and with those of other rows."""
        patient, side, view = film
        kind, part = self.kind[:4].capitalize(), _FOLDER_WORDS[self.split]
        folder = f"{kind}-{part}_{patient}_{_SIDE_WORDS[side]}_{view}"
        if PurePosixPath(path).parts[0] != folder:
            self.problems.add(row, _PATH, f"lie in {folder}, as the other cells say", path)
        first = self.places.setdefault((path, number), row.place)
        if first != row.place:
            self.problems.add(row, "abnormality id", f"differ from that of {first}", number)
        if density:
            other, place = self.densities.setdefault(film, (density, f"{self.table} {row.place}"))
            if other != density:
                rule = f"be {other} as in {place}, of the same view"
                self.problems.add(row, self.density, rule, density)

    def _check_parts(
        self, row: Row, path: str, number: str, part_paths: dict[str, str | None]
    ) -> None:
        """Compare the folders of the lesion with that of its image."""
        folder = f"{PurePosixPath(path).parts[0]}_{number}"
        for column, part_path in part_paths.items():
            if part_path and PurePosixPath(part_path).parts[0] != folder:
                self.problems.add(
                    row, column, f"lie in {folder}, as the other cells say", part_path
                )


def _path(value: object) -> str:
    """Read a path that may have line breaks anywhere."""
    path = cells.path_below(Path())("".join(str(value).split()))
    if PurePosixPath(path).is_absolute() or len(PurePosixPath(path).parts) != 4:
        raise cells.CellError("be FOLDER/STUDY/SERIES/FILE")
    return path
