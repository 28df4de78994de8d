"""Tables as CSV and Markdown."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mammography.reports.blocks import Table
from mammography.reports.page import write_page


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV file, every number at full precision; what is not known is empty.

    Args:
        path: File to write.
        rows: Column to value, the columns of the first row in all of them.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    write_page(path, text.getvalue())


def _plain(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value


def to_markdown(table: Table) -> str:
    r"""Return a table in Markdown.

    Example:
        >>> print(to_markdown(Table("Areas", ("model", "on b|c"), (("a", "0.5"),))))
        **Areas**
        <BLANKLINE>
        | model | on b\|c |
        |---|---|
        | a | 0.5 |
    """
    cells = [[f" {_escape(cell)} " for cell in row] for row in (table.header, *table.rows)]
    lines = [f"|{'|'.join(row)}|" for row in cells]
    lines.insert(1, f"|{'|'.join(['---'] * len(table.header))}|")
    return "\n".join([f"**{table.caption}**", "", *lines])


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
