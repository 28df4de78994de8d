"""The numbers of a study: measures, intervals, and tests against the reference statistics."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mammography.functional.bootstrap import FEWEST_OF_A_CLASS, percentile_interval
from mammography.functional.delong import (
    AreaTest,
    area_interval,
    compare_areas,
    roc_areas,
)
from mammography.functional.measure_bootstrap import bootstrap_measures
from mammography.functional.multiplicity import holm
from mammography.functional.score_measures import Floats, measure_scores
from mammography.reports.cases import Cases
from mammography.reports.domain_study.cells import Cell, Outcome, read_cases

Interval = tuple[float, float]
_NONE: Interval = (math.nan, math.nan)


@dataclass(frozen=True)
class Comparison:
    """A cell against the reference statistics of the same model on the same cases.

    Attributes:
        delong: Paired test of the ROC-AUCs, the cell minus the reference.
        differences: Measure to the difference, the cell minus the reference.
        intervals: Measure to the interval of the difference, of resampled patients.
        p_holm: The p-value of ``delong``, adjusted for all tests of the study.
    """

    delong: AreaTest
    differences: dict[str, float]
    intervals: dict[str, Interval]
    p_holm: float = math.nan


@dataclass(frozen=True)
class Measure:
    """A cell with its numbers.

    Attributes:
        cell: The cell.
        cases: Its cases; None where there are no predictions.
        values: Name of what was measured to its value; NaN where one class is absent.
        intervals: The same, of resampled patients; absent where cases are too few.
        delong: Interval of the ROC-AUC by DeLong; NaN where there is none.
        comparison: With the reference; None of the reference itself.
        note: What is missing, and why.
        draws: Name of what was measured to its values on resampled patients, ``(R,)``; all
            cells on the same cases see the same resamples.
    """

    cell: Cell
    cases: Cases | None = None
    values: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    delong: Interval = _NONE
    comparison: Comparison | None = None
    note: str = ""
    draws: Mapping[str, Floats] = field(default_factory=dict, repr=False, compare=False)


def measure_cells(cells: Sequence[Cell], outcome: Outcome) -> list[Measure]:
    """Measure every cell; one that cannot be measured says why and hides no other.

    Args:
        cells: In the order of the table.
        outcome: What to measure.
    """
    measures = {cell: _measure(cell, outcome) for cell in cells}
    enough = [measure for measure in measures.values() if not measure.note]
    for alike in on_same_cases(enough, lambda m: m.cell.target):
        measures |= {measure.cell: measure for measure in _compare(alike, outcome)}
    found = {cell: m.comparison for cell, m in measures.items() if m.comparison}
    adjusted = holm([comparison.delong.p_value for comparison in found.values()])
    for (cell, comparison), p_value in zip(found.items(), adjusted, strict=True):
        told = replace(comparison, p_holm=float(p_value))
        measures[cell] = replace(measures[cell], comparison=told)
    return [_noted(measure, outcome) for measure in measures.values()]


def _measure(cell: Cell, outcome: Outcome) -> Measure:
    """Measure a cell, or say why it cannot be."""
    if cell.predictions is None:
        return Measure(cell, note=cell.complaint or "not evaluated")
    try:
        cases = read_cases(cell.predictions, outcome)
        names = dict.fromkeys(("roc_auc", *outcome.measures))  # DeLong is about the first
        values = measure_scores(cases.labels, cases.scores, *names)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        return Measure(cell, note=f"the predictions cannot be used: {error}")
    fewest = min(cases.positives, len(cases.labels) - cases.positives)
    note = ""
    if fewest < FEWEST_OF_A_CLASS:
        note = (
            f"no interval and no test: {cases.positives} positive and "
            f"{len(cases.labels) - cases.positives} negative cases, fewer than "
            f"{FEWEST_OF_A_CLASS} of a class"
        )
    return Measure(cell, cases, values, note=note)


def on_same_cases(
    measures: Iterable[Measure], key: Callable[[Measure], object] = lambda _: None
) -> list[list[Measure]]:
    """Group results that can be compared: on the same labelled cases, and alike by a key."""
    groups: list[list[Measure]] = []
    for measure in measures:
        if measure.cases is None:
            continue
        for group in groups:
            first = group[0]
            alike = key(first) == key(measure)
            if alike and first.cases and measure.cases.agrees_with(first.cases):
                group.append(measure)
                break
        else:
            groups.append([measure])
    return groups


def _compare(alike: list[Measure], outcome: Outcome) -> list[Measure]:
    """Add the intervals, and what differs from the reference of the same run where there is one."""
    cases = [measure.cases for measure in alike if measure.cases]
    labels, table = cases[0].labels, np.stack([one.scores for one in cases])
    names = outcome.measures
    draws = bootstrap_measures(
        labels, table, cases[0].patients, measures=names, repeats=outcome.repeats
    )
    delong = roc_areas(labels, *table)
    references = {
        m.cell.run: row for row, m in enumerate(alike) if m.cell.statistics == outcome.reference
    }
    done = []
    for row, measure in enumerate(alike):
        own = {name: values[:, row] for name, values in draws.items()}
        reference = references.get(measure.cell.run, row)
        comparison = None
        if reference != row:
            other = alike[reference]
            comparison = Comparison(
                compare_areas(delong.pair(row, reference)),
                {name: measure.values[name] - other.values[name] for name in names},
                {n: percentile_interval(v[:, row] - v[:, reference]) for n, v in draws.items()},
            )
        done.append(
            replace(
                measure,
                intervals={name: percentile_interval(values) for name, values in own.items()},
                delong=area_interval(float(delong.areas[row]), float(delong.covariance[row, row])),
                comparison=comparison,
                draws=own,
            )
        )
    return done


def _noted(measure: Measure, outcome: Outcome) -> Measure:
    """Say why there is no comparison."""
    is_reference = measure.cell.statistics == outcome.reference
    if measure.note or measure.comparison or is_reference:
        return measure
    return replace(measure, note=f"no test: {outcome.reference} has no result on the same cases")
