"""The tables of DoSReMC: one per hospital and split."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.source_tables.split_tables import all_or_none, find_split_tables
from mammography.preparation.tables import Row, TableError, check_columns, read_table
from mammography.terms import Split

PATHS = ("FilePath", "DICOM")  # Of the description of the system, and of its code.
PATIENTS = ("PatientID", "patient_id")
EXAMS = ("ExamID", "exam_id")
DOMAINS = ("Domain", "DomainLabel")
_NEEDED = ("BreastID", "OneHotLabel", "ImageLaterality")


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: Hospital and file, for messages.
        hospital: Name of its folder.
        split: Part that the file is called by.
        columns: Names.
        rows: Rows.
    """

    name: str
    hospital: str
    split: Split
    columns: list[str]
    rows: list[Row]

    def those_of(self, names: Sequence[str]) -> list[str]:
        """Return which of some columns are there."""
        return [name for name in names if name in self.columns]


def read_tables(root: Path, hospitals: Sequence[str] = ()) -> list[Table]:
    """Read the tables of a hospital, or of all hospitals whose folders lie in a root.

    Args:
        root: Folder of one hospital, or of several.
        hospitals: Names of the folders to take; by default all that hold tables.

    Raises:
        TableError: If there is none, the root is a hospital and holds some, or a table is
            unreadable or lacks a column.
    """
    tables = [
        _read_table(path, hospital, split)
        for hospital, folder in _folders(root, hospitals).items()
        for split, path in find_split_tables(folder).items()
    ]
    told = {table.name: bool(table.those_of(PATIENTS)) for table in tables}
    all_or_none(root, PATIENTS[0], told)
    return tables


def _folders(root: Path, hospitals: Sequence[str]) -> dict[str, Path]:
    """Return the folders of hospitals by name."""
    inside = sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    found = {folder.name: folder for folder in inside if find_split_tables(folder)}
    missing = [name for name in hospitals if name not in found]
    if missing:
        raise TableError(
            f"{root}: hospitals must be folders with train, val or test tables, "
            f"got {', '.join(missing)}: there are {', '.join(found) or 'none'}"
        )
    own = {} if hospitals else find_split_tables(root)
    if bool(own) == bool(found) and not hospitals:
        got = "both" if own else "neither"
        raise TableError(
            f"{root} must hold train, val or test tables, or folders of hospitals that do, "
            f"got {got}: give one hospital as --root, or choose with "
            "--source-options hospitals=NAME,NAME"
        )
    chosen = {root.resolve().name: root} if own else {n: found[n] for n in hospitals or found}
    for name in chosen:
        _check_name(root, name)
    return chosen


def _check_name(root: Path, name: str) -> None:
    """Refuse a folder whose name should not stand in annotations."""
    try:
        cells.category(name)
    except cells.CellError as error:
        raise TableError(f"{root}: the folder of a hospital must {error}, got {name!r}") from None


def _read_table(path: Path, hospital: str, split: Split) -> Table:
    columns, rows = read_table(path)
    table = Table(f"{hospital} {path.name}", hospital, split, columns, rows)
    check_columns(path, columns, [*_NEEDED, *([] if table.those_of(PATHS) else PATHS[:1])])
    return table
