"""Tables as rows with the numbers a reader of the file sees, and cells as plain values."""

import csv
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIXES = (".csv", ".tsv", ".xlsx", ".json")


class TableError(ValueError):
    """A table cannot be read, or rows of it do not say what they have to say."""


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        place: Where the file has it: ``row 2`` is the first below the header,
            ``data_list[0]`` the first item of a JSON list.
        cells: Column to value.
    """

    place: str
    cells: dict[str, Any]


def find_table(root: Path, named: str, default: str, option: str = "table") -> Path:
    """Return the table that is named, or the one of the default name, in any format.

    Args:
        root: Folder of the source.
        named: What the user calls it, relative to the root; empty looks for the default.
        default: Name without suffix.
        option: Source option that names it, for the error.

    Raises:
        TableError: If there is none, or one in two formats.
    """
    known = [root / named] if named else [root / f"{default}{suffix}" for suffix in SUFFIXES]
    found = [path for path in known if path.is_file()]
    if len(found) != 1:
        names = ", ".join(path.name for path in found or known)
        raise TableError(
            f"{root} must hold one table {named or default}, got {len(found)} of {names}: "
            f"name it with --source-options {option}=FILE"
        )
    return found[0]


def check_columns(path: Path, columns: Collection[str], needed: Iterable[str]) -> None:
    """Refuse a table that lacks columns.

    Raises:
        TableError: Naming those that are absent, and those that are there.
    """
    absent = [name for name in needed if name not in columns]
    if absent:
        got = ", ".join(columns) or "none"
        raise TableError(f"{path}: columns must have {', '.join(absent)}, got {got}")


def read_table(path: Path, only: Collection[str] | None = None) -> tuple[list[str], list[Row]]:
    """Read a CSV, TSV, XLSX or JSON table.

    Text stays text (``007`` keeps its zeros), a row without any value is left out, and
    of a workbook the first sheet is read. JSON is a list of objects, which pandas
    writes with ``orient="records"``. A first column without a name passes if it holds whole
    numbers: the index of a data frame, which is no column.

    Args:
        path: The table.
        only: Columns that the rows keep, to hold large tables in little memory; by default
            all of them.

    Returns:
        Names of all columns, and the rows.

    Raises:
        TableError: If the file is no such table.
    """
    readers = {".csv": _read_text, ".tsv": _read_text, ".xlsx": _read_workbook}
    if path.suffix.lower() == ".json":
        rows = list(json_rows(path, read_json(path), ""))
        names = list(dict.fromkeys(column for row in rows for column in row.cells))
        return names, [
            Row(r.place, {n: r.cells[n] for n in r.cells if _wants(only, n)}) for r in rows
        ]
    if path.suffix.lower() not in readers:
        raise TableError(f"{path}: a table must end in {', '.join(SUFFIXES)}")
    lines = readers[path.suffix.lower()](path)
    columns = [str(cell).strip() if cell is not None else "" for cell in next(lines, [])]
    while columns and not columns[-1]:
        columns.pop()
    _check_header(path, columns)
    return [name for name in columns if name], list(_rows(path, columns, lines, only))


def _wants(only: Collection[str] | None, column: str) -> bool:
    return only is None or column in only


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        TableError: If it holds none.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise TableError(f"{path} must be JSON: {error}") from error


def json_rows(path: Path, items: Any, name: str) -> Iterator[Row]:
    """Turn a list of objects into rows."""
    if not isinstance(items, list):
        raise TableError(
            f"{path} must be a list of rows or a dict with data_list, got a "
            f'{type(items).__name__}: pandas writes a list with to_json(orient="records")'
        )
    for number, item in enumerate(items):
        if not isinstance(item, dict):
            raise TableError(f"{path}: {name}[{number}] must be an object, got {item!r}")
        yield Row(f"{name}[{number}]", item)


def _check_header(path: Path, columns: list[str]) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if not columns or twice or "" in columns[1:]:
        got = f"{', '.join(map(repr, twice or columns))}{' twice' if twice else ''}"
        raise TableError(f"{path}: row 1 must name every column once, got {got or 'nothing'}")


def _rows(
    path: Path, columns: list[str], lines: Iterator[list[Any]], only: Collection[str] | None
) -> Iterator[Row]:
    kept = [(i, name) for i, name in enumerate(columns) if name and _wants(only, name)]
    for number, line in enumerate(lines, start=2):
        surplus = any(cell not in (None, "") for cell in line[len(columns) :])
        if surplus or 0 < len(line) < len(columns):
            raise TableError(
                f"{path}: row {number} must have {len(columns)} cells as the header has, "
                f"got {len(line)}: put a cell that holds the separator in quotes"
            )
        if not any(cell is not None and str(cell).strip() for cell in line):
            continue
        if not columns[0] and not str(line[0]).strip().isdecimal():
            raise TableError(
                f"{path}: the first column must have a name, or hold the numbers of the rows, "
                f"got {line[0]!r} in row {number}"
            )
        yield Row(f"row {number}", {name: line[i] for i, name in kept})


def _read_text(path: Path) -> Iterator[list[Any]]:
    """Lines of a text table; the separator is the one that its header has most of."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = stream.readline()
            stream.seek(0)
            separator = max("\t,;" if path.suffix.lower() == ".tsv" else ",;\t", key=header.count)
            yield from csv.reader(stream, delimiter=separator, strict=True)
    except UnicodeDecodeError as error:
        raise TableError(f"{path} must be UTF-8 text: save it as 'CSV UTF-8': {error}") from error
    except csv.Error as error:
        raise TableError(f"{path} must be a table of text cells: {error}") from error


def _read_workbook(path: Path) -> Iterator[list[Any]]:
    # Slow to import, seldom needed.
    from openpyxl import load_workbook

    try:
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            sheet = book.worksheets[0]
            # What a file says of its own size may be wrong, and rows beyond it would be lost.
            sheet.reset_dimensions()
            lines = [list(line) for line in sheet.iter_rows(values_only=True)]
    except Exception as error:  # Each part of a damaged one has errors of its own.
        raise TableError(f"{path} must be an Excel workbook: {error}") from error
    width = max(map(len, lines), default=0)
    # A workbook leaves out empty cells at the end of a row.
    yield from (line + [None] * (width - len(line)) for line in lines)
