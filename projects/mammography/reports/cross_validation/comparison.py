"""Models of the same patients side by side: areas with intervals, and paired differences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.delong import AreaTest, compare_areas
from mammography.functional.multiplicity import holm
from mammography.reports.blocks import Table
from mammography.reports.cases import Cases
from mammography.reports.cross_validation.measures import CrossValidated, measure_folds
from mammography.reports.cross_validation.results import plain_cross_validated, write_json
from mammography.reports.page import write_page
from mammography.reports.text_tables import to_markdown
from mammography.reports.wording import number, p_value, signed, with_interval


@dataclass(frozen=True, eq=False)
class Entry:
    """Out-of-fold scores of one model.

    Attributes:
        mode: What it was given.
        model: What it is.
        cases: The patients, the same for all entries.
    """

    mode: str
    model: str
    cases: Cases

    @property
    def name(self) -> str:
        """Both in words."""
        return f"{self.mode}, {self.model}"


@dataclass(frozen=True)
class Difference:
    """Two models on the same patients.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        test: Paired test of ROC-AUCs, first minus second, with patients as units.
        p_holm: The p-value, adjusted for all differences of the table.
    """

    first: str
    second: str
    test: AreaTest
    p_holm: float = math.nan


@dataclass(frozen=True)
class Comparison:
    """All models.

    Attributes:
        measures: Name of a model to its areas.
        differences: Between modes of a model, and between models of a mode.
    """

    measures: Mapping[str, CrossValidated]
    differences: Sequence[Difference]


def compare_entries(entries: Sequence[Entry], fold_of: Mapping[str, int]) -> Comparison:
    """Measure models, and compare any two that share the mode or the model.

    Args:
        entries: On the same patients.
        fold_of: Patient to outer fold.

    Raises:
        ValueError: If the entries are of different patients.
    """
    first = entries[0].cases
    if not all(entry.cases.agrees_with(first) for entry in entries):
        raise ValueError("compare_entries: entries must be of the same patients and labels")
    measures = {entry.name: measure_folds(entry.cases, fold_of) for entry in entries}
    table = np.stack([entry.cases.scores for entry in entries])
    found = clustered_roc_areas(first.labels, first.patients, *table)
    differences = []
    for pair in combinations(range(len(entries)), 2):
        one, other = (entries[row] for row in pair)
        if one.mode != other.mode and one.model != other.model:
            continue
        differences.append(Difference(one.name, other.name, compare_areas(found.pair(*pair))))
    adjusted = holm([one.test.p_value for one in differences])
    told = [replace(one, p_holm=float(p)) for one, p in zip(differences, adjusted, strict=True)]
    return Comparison(measures, told)


def write_comparison(
    folder: Path, title: str, facts: Sequence[str], comparison: Comparison, info: Mapping[str, Any]
) -> None:
    """Write ``metrics.json`` and ``results.md``.

    Args:
        folder: Where.
        title: Of the page.
        facts: What was done, a paragraph each.
        comparison: The numbers.
        info: Where they come from.
    """
    content = {
        "info": dict(info),
        "models": {
            name: plain_cross_validated(found) for name, found in comparison.measures.items()
        },
        "differences": [_plain(one) for one in comparison.differences],
    }
    write_json(folder / "metrics.json", content)
    tables = [_area_table(comparison), _difference_table(comparison.differences)]
    parts = [f"# {title}", *facts, *(to_markdown(table) for table in tables if table.rows)]
    write_page(folder / "results.md", "\n\n".join(parts) + "\n")


def _plain(one: Difference) -> dict[str, Any]:
    return {
        "first": one.first,
        "second": one.second,
        "roc_auc_difference": one.test.difference,
        "interval": list(one.test.interval),
        "z": one.test.z,
        "p": one.test.p_value,
        "p_holm": one.p_holm,
    }


def _area_table(comparison: Comparison) -> Table:
    header = (
        *("given", "model", "n", "positive", "ROC-AUC"),
        *("ROC-AUC, mean of folds", "average precision"),
    )
    rows = []
    for name, found in comparison.measures.items():
        pooled, area = found.pooled, "average_precision"
        rows.append(
            (
                *name.split(", "),
                *(f"{pooled.n:,}", f"{pooled.positives:,}"),
                with_interval(pooled.areas["roc_auc"], pooled.intervals.get("roc_auc")),
                f"{number(found.mean('roc_auc'))} ± {number(found.spread('roc_auc'))}",
                with_interval(pooled.areas[area], pooled.intervals.get(area)),
            )
        )
    return Table("Out-of-fold scores of patients", header, tuple(rows))


def _difference_table(differences: Sequence[Difference]) -> Table:
    header = ("first", "second", "difference", "p", "p, Holm")
    rows = tuple(
        (
            *(one.first, one.second, signed(one.test.difference, one.test.interval)),
            *(p_value(one.test.p_value), p_value(one.p_holm)),
        )
        for one in differences
    )
    return Table("ROC-AUC, first minus second, on the same patients", header, rows)
