"""What a table lists: one thing per row that is understood, and what is wrong with the others."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from mammography.preparation.cells import Problems
from mammography.preparation.tables import Row, check_columns, read_table

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class RowReader(Protocol[T_co]):
    """Turns rows into things and notes every bad cell."""

    def read(self, row: Row) -> T_co | None:
        """Return the thing; none when the row is refused."""


@dataclass(frozen=True)
class Listing(Generic[T]):
    """A table that was read.

    Attributes:
        rows: Number of rows.
        items: One per row that is understood, in the order of the table.
        problems: What is wrong.
    """

    rows: int
    items: tuple[T, ...]
    problems: Problems


def read_listing(
    path: Path,
    columns: Collection[str],
    reader_of: Callable[[Problems], RowReader[T]],
    *,
    only: Collection[str] | None = None,
) -> Listing[T]:
    """Read a table row by row.

    Args:
        path: The table.
        columns: Those that it must have.
        reader_of: Makes the reader of its rows, given where to note what is wrong.
        only: Columns that the rows keep, to hold large tables in little memory; by default
            all of them.

    Raises:
        TableError: If the table is unreadable or lacks a column.
    """
    names, rows = read_table(path, only)
    check_columns(path, names, columns)
    problems = Problems(path.name)
    reader = reader_of(problems)
    found = [reader.read(row) for row in rows]
    return Listing(len(rows), tuple(item for item in found if item is not None), problems)
