"""What VinDr-Mammo copied from its DICOM headers: the table of metadata, row by row."""

import re
from dataclasses import dataclass
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.tables import SUFFIXES, Row, check_columns, find_table, read_table

NO_METADATA = "none"

_STEM = "metadata"
_ID, _AGE, _MAKER = "SOP Instance UID", "Patient's Age", "Manufacturer"
_YEARS = re.compile(r"(\d{1,3})Y?")  # DICOM writes 053Y.
_OLDEST = 120


@dataclass(frozen=True)
class Header:
    """One row.

    Attributes:
        manufacturer: Maker of the machine.
        age_years: Age of the patient.
    """

    manufacturer: str | None = None
    age_years: int | None = None


@dataclass(frozen=True)
class MetadataTable:
    """The table.

    Attributes:
        rows: Number of rows.
        headers: By name of the image.
        problems: What is wrong.
    """

    rows: int
    headers: dict[str, Header]
    problems: cells.Problems

    @classmethod
    def read(cls, root: Path, table: str = "") -> "MetadataTable":
        """Read the metadata of a folder, or the table that is named.

        Args:
            root: The folder.
            table: The table, relative to the folder; empty reads the one of the download
                if it is there, :data:`NO_METADATA` none.

        Raises:
            TableError: If a table is named but not there, or it is unreadable or lacks a
                column.
        """
        there = any((root / f"{_STEM}{suffix}").is_file() for suffix in SUFFIXES)
        if table == NO_METADATA or not (table or there):
            return cls(0, {}, cells.Problems(_STEM))
        path = find_table(root, table, _STEM, "metadata")
        columns, rows = read_table(path)
        # Some copies have a typographic apostrophe.
        age = next((name for name in columns if name.replace("\u2019", "'") == _AGE), _AGE)
        check_columns(path, columns, (_ID, age, _MAKER))
        problems = cells.Problems(path.name)
        places: dict[str | None, str] = {}
        headers: dict[str, Header] = {}
        for row in rows:
            before = len(problems.found)
            image = problems.need(row, _ID, cells.identifier)
            header = _header(row, age, problems)
            first = places.setdefault(image, row.place)
            if image and first != row.place:
                problems.add(row, _ID, f"differ from that of {first}", image)
            if image and len(problems.found) == before:
                headers[image] = header
        return cls(len(rows), headers, problems)


def _header(row: Row, age: str, problems: cells.Problems) -> Header:
    maker = problems.read(row, _MAKER, lambda cell: str(cells.category(cell)))
    return Header(maker, problems.read(row, age, _years))


def _years(value: object) -> int:
    match = _YEARS.fullmatch(cells.identifier(value))
    if not match or int(match[1]) > _OLDEST:
        raise cells.CellError(f"be years up to {_OLDEST}, such as 053Y")
    return int(match[1])
