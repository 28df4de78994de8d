"""The table of a domain study as CSV."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mammography.functional.curve_areas import AREAS
from mammography.reports.domain_study.measures import Interval, Measure
from mammography.reports.text_tables import write_rows


def write_csv(path: Path, measures: Sequence[Measure]) -> None:
    """Write one row per cell, every number at full precision; what is not known is empty."""
    write_rows(path, [_row(measure) for measure in measures])


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
    return row


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}
