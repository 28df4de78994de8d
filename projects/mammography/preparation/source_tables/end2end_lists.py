"""The PyTorch port of end2end: lists of pictures and labels, one per split."""

from collections.abc import Callable
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.source_tables.end2end_pictures import FileNames, Picture, Pictures
from mammography.preparation.source_tables.split_tables import find_split_tables
from mammography.preparation.tables import Row, TableError, read_table
from mammography.terms import Split

_LABELS = ("label", "labels")
_FOLDER = "data"  # Where the port has its lists.


def find_lists(root: Path) -> dict[Split, Path]:
    """Return the lists of a folder, or of its folder ``data``.

    Raises:
        TableError: If both hold some, or a split has two.
    """
    found = [tables for f in (root, root / _FOLDER) if (tables := find_split_tables(f))]
    if len(found) > 1:
        raise TableError(f"{root} must hold lists itself or in its folder {_FOLDER}, got both")
    return found[0] if found else {}


def read_lists(
    root: Path, path: Callable[[object], str], names: FileNames, label_column: str = ""
) -> Pictures:
    """Read the lists: the first column is the path, another one the label.

    Args:
        root: Folder of the lists.
        path: Reader of paths.
        names: How a path tells its patient.
        label_column: Column of the label; by default ``label`` or ``labels``, else the
            second of two.

    Raises:
        TableError: If there is no list, or one has no such column.
    """
    lists = find_lists(root)
    if not lists:
        raise TableError(f"{root} must hold train, validation or test lists, got none")
    rows, pictures, problems = {}, [], []
    reader = _RowReader(path, names)
    for split, file in lists.items():
        columns, found = read_table(file)
        label = _label_column(file, columns, label_column)
        reader.problems = cells.Problems(file.name)
        pictures += [reader.read(row, columns[0], label, split) for row in found]
        problems.append(reader.problems)
        rows[file.name] = len(found)
    understood = tuple(picture for picture in pictures if picture)
    return Pictures(sum(rows.values()), understood, tuple(problems), {"rows_by_table": rows})


def _label_column(path: Path, columns: list[str], wanted: str) -> str:
    known = [wanted] if wanted else list(_LABELS)
    found = [name for name in known if name in columns[1:]]
    if not found and not wanted and len(columns) == 2:
        found = columns[1:]
    if len(found) != 1:
        raise TableError(
            f"{path}: columns must be the path and then one called {' or '.join(known)}, "
            f"got {', '.join(columns)}: name it with --source-options label_column=NAME"
        )
    try:
        truth(found[0])
    except cells.CellError:
        return found[0]
    raise TableError(
        f"{path}: row 1 must name the columns, got {', '.join(columns)}: "
        "put a row such as mam,label above"
    )


class _RowReader:
    """Turn rows into pictures and note every bad cell."""

    def __init__(self, path: Callable[[object], str], names: FileNames) -> None:
        self.path = path
        self.names = names
        self.problems = cells.Problems("")
        self.first_rows: dict[str, str] = {}

    def read(self, row: Row, path_column: str, label_column: str, split: Split) -> Picture | None:
        """Return the picture; none when the row is refused."""
        before = len(self.problems.found)
        path = self.problems.need(row, path_column, self.path)
        label = self.problems.read(row, label_column, truth)
        if path is None:
            return None
        place = f"{self.problems.name} {row.place}"
        first = self.first_rows.setdefault(path, place)
        if first != place:
            self.problems.add(row, path_column, f"differ from that of {first}", path)
        named = self.names.read(self.problems, row, path_column, path)
        if len(self.problems.found) > before:
            return None
        return Picture(
            path,
            label,
            named["patient"],
            named.get("laterality"),
            named.get("view_position"),
            split,
        )


def truth(value: object) -> bool:
    """Read 0 or 1, also ``1.0`` and ``True``.

    Raises:
        CellError: If it is anything else: a list of patches has classes up to 4.
    """
    word = {"true": "1", "false": "0"}.get(str(value).strip().lower(), value)
    try:
        return bool(cells.grade(0, 1)(word))
    except cells.CellError:
        raise cells.CellError("be 0 or 1 (a list of patches is no list of pictures)") from None
