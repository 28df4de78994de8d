"""The table of a domain study as CSV and Markdown."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mammography.functional.curve_areas import AREAS
from mammography.reports.blocks import Table
from mammography.reports.domain_study.measures import Interval, Measure
from mammography.reports.page import write_page


def write_csv(path: Path, measures: Sequence[Measure]) -> None:
    """Write one row per cell, every number at full precision; what is not known is empty."""
    rows = [_row(measure) for measure in measures]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_page(path, text.getvalue())


def _row(measure: Measure) -> dict[str, Any]:
    cell, cases, told = measure.cell, measure.cases, measure.comparison
    row: dict[str, Any] = {
        "model": cell.model,
        "source": cell.source,
        "adapted_to": cell.adapted_to,
        "input": cell.input,
        "seed": cell.seed,
        "target": cell.target,
        "at_home": int(cell.at_home),
        "statistics": cell.statistics,
        "images": cases and cases.images,
        "n": cases and len(cases.labels),
        "positives": cases and cases.positives,
        "patients": cases and len(np.unique(cases.patients)),
        "unlabelled": cases and cases.unlabelled,
    }
    row |= {"roc_auc": measure.areas.get("roc_auc")} | _ends("roc_auc_delong", measure.delong)
    for name in AREAS:
        row[name] = measure.areas.get(name)
        row |= _ends(f"{name}_bootstrap", measure.intervals.get(name))
    test = told.delong if told else None
    row["roc_auc_difference"] = test and test.difference
    row |= _ends("roc_auc_difference_delong", test.interval if test else None)
    row |= {"z": test and test.z, "p": test and test.p_value, "p_holm": told and told.p_holm}
    for name in AREAS:
        row[f"{name}_difference"] = told and told.differences[name]
        row |= _ends(f"{name}_difference_bootstrap", told.intervals[name] if told else None)
    row |= {"note": measure.note, "folder": cell.folder}
    return {name: _plain(value) for name, value in row.items()}


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}


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
