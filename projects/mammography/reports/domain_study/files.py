"""The tables of a study as CSV."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mammography.reports.domain_study.cells import Outcome
from mammography.reports.domain_study.measures import Interval, Measure
from mammography.reports.domain_study.model_comparison import ModelComparison
from mammography.reports.text_tables import write_rows


def write_cells(path: Path, measures: Sequence[Measure], outcome: Outcome) -> None:
    """Write one row per cell, every number at full precision; what is not known is empty."""
    write_rows(path, [_cell_row(measure, outcome.measures) for measure in measures])


def write_models(path: Path, comparisons: Sequence[ModelComparison]) -> None:
    """Write one row per model, condition and measure, with the difference to the reference."""
    write_rows(path, [_model_row(one, name) for one in comparisons for name in one.values])


def _cell_row(measure: Measure, names: Sequence[str]) -> dict[str, Any]:
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
    row |= {"roc_auc": measure.values.get("roc_auc")} | _ends("roc_auc_delong", measure.delong)
    for name in names:
        row[name] = measure.values.get(name)
        row |= _ends(f"{name}_bootstrap", measure.intervals.get(name))
    test = told.delong if told else None
    row["roc_auc_difference"] = test and test.difference
    row |= _ends("roc_auc_difference_delong", test.interval if test else None)
    row |= {"z": test and test.z, "p": test and test.p_value, "p_holm": told and told.p_holm}
    for name in names:
        row[f"{name}_difference"] = told and told.differences[name]
        row |= _ends(f"{name}_difference_bootstrap", told.intervals[name] if told else None)
    row |= {"note": measure.note, "folder": cell.folder}
    return row


def _model_row(one: ModelComparison, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": one.cell.model,
        "source": one.cell.source,
        "adapted_to": one.cell.adapted_to,
        "input": one.cell.input,
        "target": one.cell.target,
        "statistics": one.cell.statistics,
        "trainings": one.trainings,
        "measure": name,
        "value": one.values[name],
    }
    row |= _ends("value", one.intervals[name])
    row |= {"difference": one.differences.get(name)}
    row |= _ends("difference", one.difference_intervals.get(name))
    row |= {"p": one.p_values.get(name), "p_holm": one.p_holm.get(name)}
    return row


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}
