"""What is lost when the cases that a model is unsure of are left to others."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mammography.functional.selective import (
    RiskCoverage,
    area_under_generalised_risk,
    area_under_risk_coverage,
    risk_coverage,
)
from mammography.reports.blocks import Row, Table, chart
from mammography.reports.evidence.chapter import Chapter, Point
from mammography.reports.evidence.study import Model, Study
from mammography.reports.evidence.words import cases_of
from mammography.reports.figures.risk_coverage import Line, draw_risk_coverage

_COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.5)
_ANCHOR = "chart-coverage"
_READ_OUTS = 200


def selective_chapter(study: Study) -> Chapter | None:
    """Draw risk over coverage for each kind of uncertainty; None where there is none."""
    curves = {
        (model, kind): _curve(study, model, kind)
        for model in study.models
        for kind in model.uncertainty
    }
    if not curves:
        return None
    legend = {f"{model.name}, {kind}": curve for (model, kind), curve in curves.items()}
    drawn = chart(
        draw_risk_coverage(
            [
                Line(
                    f"{model.name}, {kind}",
                    curve.coverage,
                    curve.risk,
                    study.models.index(model),
                    list(model.uncertainty).index(kind),
                )
                for (model, kind), curve in curves.items()
            ]
        ),
        "Risk and coverage",
        f"Share of wrong decisions over the share of decided cases: {'; '.join(legend)}",
        f"{cases_of(study)}. Cases are decided from the surest on; wrong is a decision against "
        "the label at the stated threshold.",
        _ANCHOR,
    )
    rows = [
        {"model": model.name, "uncertainty": kind} | _measures(curve)
        for (model, kind), curve in curves.items()
    ]
    texts = tuple(
        tuple(value if isinstance(value, str) else f"{value:.4f}" for value in row.values())
        for row in rows
    )
    table = Table(
        f"Wrong decisions among those that are decided, {cases_of(study)}",
        tuple(rows[0]),
        texts,
        wide=(1,),
    )
    return Chapter(
        "selective",
        "Selective prediction",
        (Row((drawn,)), table),
        {"risk_coverage": rows},
        (
            "Risk and coverage (Geifman and El-Yaniv 2017): wrong decisions at the threshold of "
            "the model among the k cases of the lowest uncertainty; equal uncertainties "
            "count with their mean. AURC: the mean of the curve. AUGRC: the area under risk times "
            "coverage (Traub and others 2024). Both weigh a false positive like a missed cancer.",
        ),
        {_ANCHOR: list(_points(legend))},
    )


def _curve(study: Study, model: Model, kind: str) -> RiskCoverage:
    wrong = (model.scores >= model.threshold.value) != (study.labels == 1)
    return risk_coverage(wrong, model.uncertainty[kind])


def _measures(curve: RiskCoverage) -> dict[str, Any]:
    at = {f"at {100 * share:g} %": curve.risk_at(share) for share in _COVERAGES}
    areas = {
        "AURC": area_under_risk_coverage(curve),
        "AUGRC": area_under_generalised_risk(curve),
    }
    return at | areas


def _points(curves: dict[str, RiskCoverage]) -> Iterator[Point]:
    for name, curve in curves.items():
        count = len(curve.risk)
        for at in np.unique(np.linspace(0, count - 1, min(count, _READ_OUTS)).astype(int)):
            x, y = float(curve.coverage[at]), float(curve.risk[at])
            yield 0, x, y, f"{name}\ncoverage {x:.3f}, wrong {y:.4f}"
