"""The tables of a study, as blocks of a page."""

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mammography.reports.blocks import Table
from mammography.reports.domain_study.cells import Outcome
from mammography.reports.domain_study.measures import Comparison, Measure
from mammography.reports.wording import ABSENT, number, p_value, signed, with_interval

AT_HOME = "◆"
MEASURE_NAMES = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC (trapezoids)",
    "average_precision": "average precision",
    "pf1": "probabilistic F1",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "calibration_slope": "calibration slope",
    "calibration_intercept": "calibration intercept",
}


def measure_table(measures: Sequence[Measure], name: str) -> Table:
    """Lay a measure out as in publications: models and statistics in rows, targets in columns.

    Args:
        measures: Of the study.
        name: Of the measure, in :data:`MEASURE_NAMES`.
    """
    targets = list(dict.fromkeys(m.cell.target for m in measures))
    names = _names(measures)
    rows: dict[tuple[str, ...], dict[str, list[Measure]]] = {}
    for measure in measures:
        row = rows.setdefault((*names.of(measure), measure.cell.statistics), {})
        row.setdefault(measure.cell.target, []).append(measure)
    return Table(
        f"{MEASURE_NAMES[name]}: models in rows, hospitals in columns",
        (*names.header, "statistics", *(f"on {target}" for target in targets)),
        tuple(
            (*place, *(_over_seeds(row.get(target, []), name) for target in targets))
            for place, row in rows.items()
        ),
    )


def _over_seeds(measures: Sequence[Measure], name: str) -> str:
    """Write one result with its interval, or the mean and spread of several trainings."""
    mark = f" {AT_HOME}" if any(m.cell.at_home for m in measures) else ""
    known = [m for m in measures if not math.isnan(m.values.get(name, math.nan))]
    if not known:
        return ABSENT
    if len(measures) == 1:
        return with_interval(known[0].values[name], known[0].intervals.get(name)) + mark
    values = [m.values[name] for m in known]
    spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    count = f"{len(known)} of {len(measures)}" if len(known) < len(measures) else str(len(known))
    return f"{np.mean(values):.3f}{spread} ({count} seeds){mark}"


def cell_table(measures: Sequence[Measure], outcome: Outcome) -> Table:
    """Tell every cell with its counts and both intervals."""
    names = _names(measures, seeds=True)
    rows = []
    for m in measures:
        counts = [ABSENT] * 3
        if m.cases:
            of_patients = len(np.unique(m.cases.patients))
            counts = [f"{n:,}" for n in (len(m.cases.labels), m.cases.positives, of_patients)]
        values = {name: m.values.get(name, math.nan) for name in ("roc_auc", *outcome.measures)}
        texts = [with_interval(values["roc_auc"], m.delong)]
        texts += [with_interval(values[name], m.intervals.get(name)) for name in outcome.measures]
        texts = texts if m.cases else [ABSENT] * len(texts)
        place = (*names.of(m), m.cell.target, m.cell.statistics)
        rows.append((*place, *counts, *texts, m.note))
    header = (
        *(*names.header, "target", "statistics", "n", "positive", "patients"),
        *("ROC-AUC, DeLong", *_of_patients(outcome), "notes"),
    )
    return Table("Every cell, 95 % intervals", header, tuple(rows), wide=(len(header) - 1,))


def comparison_table(measures: Sequence[Measure], outcome: Outcome) -> Table | None:
    """Tell every test against the reference statistics; None if there is none."""
    names = _names(measures, seeds=True)
    rows = tuple(
        (*names.of(m), m.cell.target, m.cell.statistics, *_comparison(m.comparison))
        for m in measures
        if m.comparison
    )
    header = (
        *(*names.header, "target", "statistics", "ROC-AUC, DeLong", "z", "p", "p, Holm"),
        *_of_patients(outcome),
    )
    caption = f"Difference to {outcome.reference} of the same model and target, 95 % intervals"
    return Table(caption, header, rows) if rows else None


def _of_patients(outcome: Outcome) -> tuple[str, ...]:
    return tuple(f"{MEASURE_NAMES[name]}, patients" for name in outcome.measures)


def _comparison(told: Comparison) -> tuple[str, ...]:
    test = told.delong
    return (
        signed(test.difference, test.interval),
        number(test.z),
        p_value(test.p_value),
        p_value(told.p_holm),
        *(signed(told.differences[name], told.intervals[name]) for name in told.differences),
    )


class _Names:
    """The columns that name a model: an input or a seed only where there are several."""

    def __init__(self, measures: Iterable[Measure], seeds: bool) -> None:
        cells = [measure.cell for measure in measures]
        fields = {"model": "model", "trained_on": "trained on"}
        fields |= {"input": "input"} if any(cell.input for cell in cells) else {}
        known = {cell.seed for cell in cells} - {None}
        fields |= {"seed": "seed"} if seeds and len(known) > 1 else {}
        self.fields: Mapping[str, str] = fields
        self.header = tuple(fields.values())

    def of(self, measure: Measure) -> tuple[str, ...]:
        """Return the names of a row."""
        values = [getattr(measure.cell, name) for name in self.fields]
        return tuple(ABSENT if value in (None, "") else str(value) for value in values)


def _names(measures: Iterable[Measure], *, seeds: bool = False) -> _Names:
    return _Names(measures, seeds)
