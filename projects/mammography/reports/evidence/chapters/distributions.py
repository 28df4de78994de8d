"""How scores and uncertainties are spread by label and by outcome."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mammography.reports.blocks import Block, Chart, Row, Table, Text, Tone, chart
from mammography.reports.evidence.chapter import Chapter, Point
from mammography.reports.evidence.chapters.calibration import are_risks
from mammography.reports.evidence.study import Floats, Model, Study
from mammography.reports.evidence.words import cases_of
from mammography.reports.figures.outcomes import (
    OutcomeCounts,
    cases_by_outcome,
    count_outcomes,
    draw_outcomes,
)

_UNITS = {
    "total": "total uncertainty (entropy, nats)",
    "aleatoric": "aleatoric uncertainty (nats)",
    "epistemic": "epistemic uncertainty (nats)",
    "variance": "variance of the logit",
}


def distributions_chapter(study: Study) -> Chapter:
    """Draw scores, and uncertainties where they are known, by label and outcome."""
    blocks: list[Block] = []
    points: dict[str, list[Point]] = {}
    files: list[dict[str, Any]] = []
    for index, model in enumerate(study.models):
        charts = list(_charts(study, model, index))
        blocks.append(Row(tuple(drawn for drawn, _ in charts)))
        points |= {drawn.anchor: list(_points(found)) for drawn, found in charts}
        files += _quartiles(study, model)
    if not any(model.uncertainty for model in study.models):
        blocks.append(Text("The predictions hold no uncertainty.", Tone.MISSING))
    table = _table(files)
    methods = (
        "TP, FN, TN, FP: by label and decision at the threshold of each model. "
        "The uncertainty of a case is the highest of its images.",
    )
    return Chapter(
        "distributions",
        "Scores and uncertainty",
        (*blocks, table),
        {"distributions": files},
        methods,
        points,
    )


def _charts(study: Study, model: Model, index: int) -> Iterator[tuple[Chart, OutcomeCounts]]:
    recalled = model.scores >= model.threshold.value
    found = count_outcomes(model.scores, study.labels, recalled, shares=are_risks(study))
    figure = draw_outcomes(found, "score: probability of class 1", model.threshold.value)
    note = "Hatched: wrong at the stated threshold (dashed line). Solid line: the moved threshold."
    yield (
        chart(
            figure,
            f"Scores: {model.name}",
            f"Histogram of the scores of {model.name} by label and outcome",
            f"{cases_of(study)}. {note}",
            f"chart-scores-{index}",
        ),
        found,
    )
    for kind, values in model.uncertainty.items():
        found = count_outcomes(values, study.labels, recalled)
        yield (
            chart(
                draw_outcomes(found, _UNITS.get(kind, kind)),
                f"{kind.capitalize()} uncertainty: {model.name}",
                f"Histogram of the {kind} uncertainty of {model.name} by label and outcome",
                f"{cases_of(study)}. Hatched: wrong at the stated threshold.",
                f"chart-{kind}-{index}",
            ),
            found,
        )


def _points(found: OutcomeCounts) -> Iterator[Point]:
    """Read out each bin at its upper end."""
    for axes, names in enumerate((("TP", "FN"), ("TN", "FP"))):
        for at in range(len(found.edges) - 1):
            low, high = found.edges[at : at + 2]
            counts = [found.counts[name][at] for name in names]
            if sum(counts):
                text = ", ".join(f"{n} {count:,}" for n, count in zip(names, counts, strict=True))
                yield axes, (low + high) / 2, sum(counts), f"{low:.3g} to {high:.3g}: {text}"


def _quartiles(study: Study, model: Model) -> Iterator[dict[str, Any]]:
    recalled = model.scores >= model.threshold.value
    chosen = cases_by_outcome(study.labels, recalled)
    values: dict[str, Floats] = {"score": model.scores, **model.uncertainty}
    for what, column in values.items():
        for outcome, cases in chosen.items():
            ends = np.quantile(column[cases], (0.25, 0.5, 0.75)) if cases.any() else [np.nan] * 3
            low, middle, high = map(float, ends)
            yield {
                "model": model.name,
                "value": what,
                "outcome": outcome,
                "n": int(cases.sum()),
                "lower quartile": low,
                "median": middle,
                "upper quartile": high,
            }


def _table(files: list[dict[str, Any]]) -> Table:
    """Put the outcomes side by side."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for row in files:
        text = f"{row['median']:.3f} ({row['lower quartile']:.3f} to {row['upper quartile']:.3f})"
        place = rows.setdefault((row["model"], row["value"]), {})
        place[f"{row['outcome']}"] = text if row["n"] else "none"
    outcomes = tuple(next(iter(rows.values())))
    return Table(
        "Medians (quartiles) by outcome at the stated threshold",
        ("model", "value", *outcomes),
        tuple((*place, *(texts[outcome] for outcome in outcomes)) for place, texts in rows.items()),
        wide=(1,),
    )
