"""The ROC and precision-recall curves of a study."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from mammography.functional.curve_areas import curve_areas
from mammography.reports.blocks import Block, Chart, Part, Row, chart
from mammography.reports.domain_study.cells import Outcome
from mammography.reports.domain_study.measures import Measure, on_same_cases
from mammography.reports.domain_study.tables import MEASURE_NAMES
from mammography.reports.figures.curve_comparison import (
    draw_precision_recalls,
    draw_rocs,
    split_curves,
)
from mammography.reports.wording import counted

_KINDS = {
    "ROC": ("roc_auc", draw_rocs),
    "Precision and recall": ("average_precision", draw_precision_recalls),
}


def curve_parts(measures: Sequence[Measure], outcome: Outcome) -> tuple[Part, ...]:
    """Draw all models and statistics, a part for each target.

    All models with the reference statistics are on one figure, and all statistics of each model
    on another: what a reader compares.
    """
    drawn = [m for m in measures if m.cases and 0 < m.cases.positives < len(m.cases.labels)]
    targets = dict.fromkeys(m.cell.target for m in drawn)
    return tuple(Part(f"On {target}", tuple(_charts(target, drawn, outcome))) for target in targets)


def _charts(target: str, drawn: Sequence[Measure], outcome: Outcome) -> Iterator[Block]:
    here = [m for m in drawn if m.cell.target == target]
    models = [m for m in here if m.cell.statistics == outcome.reference]
    if len(models) > 1:
        yield from _pair(
            f"models, {outcome.reference} statistics", target, models, lambda m: m.cell.run_name
        )
    runs = dict.fromkeys(m.cell.run for m in here)
    for run in runs:
        own = [m for m in here if m.cell.run == run]
        if len(own) > 1 or len(runs) == 1:
            yield from _pair(own[0].cell.run_name, target, own, lambda m: m.cell.statistics)


def _pair(
    what: str, target: str, measures: Iterable[Measure], name_of: Callable[[Measure], str]
) -> Iterator[Row]:
    """Draw both curves of some results; those on other cases go on figures of their own."""
    for alike in on_same_cases(measures):
        named = {name_of(measure): measure for measure in alike}
        parts = split_curves(named)
        for number, part in enumerate(parts, start=1):
            title = f"{what}, on {target}" + (f" ({number})" if len(parts) > 1 else "")
            yield Row(tuple(_chart(kind, title, part) for kind in _KINDS))


def _chart(kind: str, title: str, measures: dict[str, Measure]) -> Chart:
    area, draw = _KINDS[kind]
    known = {name: m.cases for name, m in measures.items() if m.cases}
    areas = {n: curve_areas(cases.labels, cases.scores)[area] for n, cases in known.items()}
    curves = {f"{name}: {areas[name]:.3f}": cases.scores for name, cases in known.items()}
    first = next(iter(known.values()))
    return chart(
        draw(curves, first.labels),
        f"{kind}: {title}",
        f"{kind} curves of {counted(len(curves), 'result')}: {'; '.join(curves)}",
        f"n = {len(first.labels):,}, {first.positives:,} positive. Legend: {MEASURE_NAMES[area]}.",
    )
