"""The tables that compare models with the reference model."""

from collections.abc import Iterator, Sequence

from mammography.reports.blocks import Table
from mammography.reports.domain_study.model_comparison import ModelComparison
from mammography.reports.domain_study.tables import MEASURE_NAMES
from mammography.reports.wording import p_value, signed, with_interval

# Tables of all measures at once are too wide to be read.
_KINDS = {
    "Ranking": ("roc_auc", "pr_auc", "average_precision", "pf1"),
    "Calibration": ("brier", "ece", "calibration_slope", "calibration_intercept"),
}
_CONDITIONS = {
    "trained_on": "trained on",
    "input": "input",
    "target": "target",
    "statistics": "statistics",
}


def model_tables(comparisons: Sequence[ModelComparison], reference: str) -> Iterator[Table]:
    """Yield the measures of every model, and what it has more or less than the reference.

    Args:
        comparisons: Of the study, at least one.
        reference: Name of the reference model.
    """
    for kind, measures in _KINDS.items():
        names = [name for name in comparisons[0].values if name in measures]
        if names:
            yield _values(kind, comparisons, names)
            if any(one.differences for one in comparisons):
                yield _differences(kind, comparisons, names, reference)


def _values(kind: str, comparisons: Sequence[ModelComparison], names: Sequence[str]) -> Table:
    columns = _Columns(comparisons)
    rows = tuple(
        (*columns.of(one), *(with_interval(one.values[n], one.intervals[n]) for n in names))
        for one in comparisons
    )
    header = (*columns.header, *(MEASURE_NAMES[name] for name in names))
    return Table(f"{kind} of every model, 95 % intervals of patients", header, rows)


def _differences(
    kind: str, comparisons: Sequence[ModelComparison], names: Sequence[str], reference: str
) -> Table:
    columns = _Columns(comparisons)
    rows = tuple(
        (*columns.of(one), *(_difference(one, name) for name in names))
        for one in comparisons
        if one.differences
    )
    header = (*columns.header, *(MEASURE_NAMES[name] for name in names))
    caption = f"{kind}: difference to {reference}, 95 % intervals of patients, p adjusted by Holm"
    return Table(caption, header, rows)


def _difference(one: ModelComparison, name: str) -> str:
    told = signed(one.differences[name], one.difference_intervals[name])
    p = p_value(one.p_holm[name])
    return f"{told}, p {p if p.startswith('<') else f'= {p}'}"


class _Columns:
    """The columns that name a model, and the conditions that are not the same for all."""

    def __init__(self, comparisons: Sequence[ModelComparison]) -> None:
        self.fields = [
            name
            for name in _CONDITIONS
            if len({getattr(one.cell, name) for one in comparisons}) > 1
        ]
        self.trainings = max(one.trainings for one in comparisons) > 1
        header = ["model", *(_CONDITIONS[name] for name in self.fields)]
        self.header = (*header, "trainings") if self.trainings else tuple(header)

    def of(self, one: ModelComparison) -> tuple[str, ...]:
        """Return the names of a row."""
        told = [one.cell.model, *(str(getattr(one.cell, name)) for name in self.fields)]
        return (*told, str(one.trainings)) if self.trainings else tuple(told)
