"""Models of a study against its reference model, on the same cases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mammography.functional.bootstrap import percentile_interval
from mammography.functional.multiplicity import holm
from mammography.functional.score_measures import Floats
from mammography.reports.domain_study.cells import Cell, Outcome
from mammography.reports.domain_study.measures import Interval, Measure, on_same_cases


@dataclass(frozen=True)
class ModelComparison:
    """A model against the reference model: the mean of its trainings, on the same cases.

    Attributes:
        cell: Of its first training.
        trainings: How many, each against the reference with its seed.
        values: Measure to the mean over the trainings.
        intervals: Measure to the interval of that mean, of resampled patients.
        differences: Measure to the mean difference, the model minus the reference; empty for
            the reference itself.
        difference_intervals: Measure to the interval of that difference.
        p_values: Measure to the two-sided p-value of no difference, of the same resamples.
        p_holm: The same, adjusted for all comparisons of the study with this measure.
    """

    cell: Cell
    trainings: int
    values: dict[str, float]
    intervals: dict[str, Interval]
    differences: dict[str, float] = field(default_factory=dict)
    difference_intervals: dict[str, Interval] = field(default_factory=dict)
    p_values: dict[str, float] = field(default_factory=dict)
    p_holm: dict[str, float] = field(default_factory=dict)


def compare_models(measures: Sequence[Measure], outcome: Outcome) -> list[ModelComparison]:
    """Compare every model with the reference model, statistics with the same statistics.

    A training is compared with that of the reference model that has its sources and seed, or
    with the only one there is. Trainings without a counterpart, and those on too few or on other
    cases, are left out.

    Args:
        measures: Of the study.
        outcome: What was measured; nothing is compared without a ``reference_model``.
    """
    found: list[ModelComparison] = []
    usable = [m for m in measures if m.cases and m.intervals] if outcome.reference_model else []
    for alike in on_same_cases(usable, _condition):
        draws = {
            name: np.stack([m.draws[name] for m in alike], axis=1) for name in outcome.measures
        }
        found += _compare([m.cell for m in alike], alike, draws, outcome.reference_model)
    return _adjusted(found, outcome.measures)


def _condition(measure: Measure) -> object:
    """Return what two cells must share beside their cases."""
    cell = measure.cell
    return cell.target, cell.statistics, cell.input


def _compare(
    cells: list[Cell], measures: list[Measure], draws: dict[str, Floats], reference: str
) -> Iterator[ModelComparison]:
    """Compare the trainings on one target; the columns of ``draws`` are those of ``cells``."""
    names = dict.fromkeys((cell.model, cell.trained_on) for cell in cells)
    for name in names:
        own = [at for at, cell in enumerate(cells) if (cell.model, cell.trained_on) == name]
        pairs = [(at, _counterpart(cells, at, reference)) for at in own]
        if any(other is None for _, other in pairs):
            continue
        others = [other for _, other in pairs if other is not None]
        values = {n: np.array([m.values[n] for m in measures]) for n in draws}
        made = ModelComparison(
            cells[own[0]],
            len(own),
            {n: float(values[n][own].mean()) for n in draws},
            {n: _interval(drawn[:, own].mean(axis=1)) for n, drawn in draws.items()},
        )
        if name[0] == reference:
            yield made
            continue
        apart = {n: (drawn[:, own] - drawn[:, others]).mean(axis=1) for n, drawn in draws.items()}
        yield replace(
            made,
            differences={n: float((v[own] - v[others]).mean()) for n, v in values.items()},
            difference_intervals={n: _interval(drawn) for n, drawn in apart.items()},
            p_values={n: two_sided(drawn) for n, drawn in apart.items()},
        )


def _counterpart(cells: list[Cell], at: int, reference: str) -> int | None:
    """Return the training of the reference model that one is compared with."""
    known = [row for row, cell in enumerate(cells) if cell.model == reference]
    same = [
        row
        for row in known
        if (cells[row].source, cells[row].seed) == (cells[at].source, cells[at].seed)
    ]
    if same:
        return same[0]
    return known[0] if len(known) == 1 else None


def _interval(draws: Floats) -> Interval:
    return percentile_interval(draws)


def two_sided(draws: Floats) -> float:
    """Return the p-value at which a percentile interval of differences ends at 0.

    Of R resamples it is never below ``2 / (R + 1)``. NaN if a difference is not defined.

    References:
        Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 4.4.

    Example:
        >>> round(two_sided(np.linspace(-1, 9, 1001)), 2)
        0.2
    """
    if np.isnan(draws).any():
        return float("nan")
    below, above = (draws <= 0).sum(), (draws >= 0).sum()
    return float(min(2 * (min(below, above) + 1) / (len(draws) + 1), 1.0))


def _adjusted(found: list[ModelComparison], measures: Sequence[str]) -> list[ModelComparison]:
    """Add the adjusted p-values: those of one measure are one family."""
    tested = [at for at, one in enumerate(found) if one.p_values]
    adjusted = {name: holm([found[at].p_values[name] for at in tested]) for name in measures}
    for row, at in enumerate(tested):
        told = {name: float(values[row]) for name, values in adjusted.items()}
        found[at] = replace(found[at], p_holm=told)
    return found
