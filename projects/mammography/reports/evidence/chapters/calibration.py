"""Whether scores are risks: calibration and net benefit."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mammography.functional.brier import brier_score
from mammography.functional.calibration import calibration_line
from mammography.functional.calibration_curve import (
    ReliabilityCurve,
    SmoothCalibration,
    reliability_curve,
    smooth_calibration,
)
from mammography.functional.calibration_error import Variant, expected_calibration_error
from mammography.functional.estimate import Estimate
from mammography.reports.blocks import Block, Chart, Row, Table, Text, Tone, chart
from mammography.reports.evidence.chapter import Chapter, Point, columns, told
from mammography.reports.evidence.study import Model, Study
from mammography.reports.evidence.words import cases_of
from mammography.reports.figures.calibration import Reliability, draw_calibration
from mammography.reports.wording import number

NOT_RISKS = (
    "Scores outside 0 to 1 are no risks: calibration and net benefit are not defined for them."
)
_BINS = 10
_ECE_BINS = 15
_FRACTION = 0.75
_FEWEST_RISKS = 3  # different ones, for a line through them
_VARIANTS: tuple[Variant, ...] = ("binary", "top_label", "adaptive")


def are_risks(study: Study) -> bool:
    """Whether all scores can be read as probabilities."""
    return all(model.scores.min() >= 0 and model.scores.max() <= 1 for model in study.models)


def calibration_chapter(study: Study) -> Chapter:
    """Compare predicted risks with what came true."""
    title = "Calibration"
    if not are_risks(study):
        return Chapter("calibration", title, (Text(NOT_RISKS, Tone.MISSING),), methods=(NOT_RISKS,))
    rows, charts = [], []
    points: dict[str, list[Point]] = {}
    groups: list[dict[str, Any]] = []
    for index, model in enumerate(study.models):
        smooth = _smooth(study, model)
        rows.append({"model": model.name} | _measures(study, model, smooth))
        curve = reliability_curve(
            study.labels, model.scores, _BINS, "quantile", patients=study.patients
        )
        drawn = _draw(study, model, smooth, curve, f"chart-calibration-{index}")
        charts.append(drawn)
        own = _groups(curve)
        points[drawn.anchor] = [
            (0, group["predicted"], group["observed"], _read_out(group)) for group in own
        ]
        groups += [{"model": model.name} | group for group in own]
    blocks: tuple[Block, ...] = (_table(study, rows), Row(tuple(charts)))
    files = {"calibration": [_plain(row) for row in rows], "calibration_groups": groups}
    return Chapter("calibration", title, blocks, files, tuple(_methods(study)), points)


def _smooth(study: Study, model: Model) -> SmoothCalibration | None:
    """Smooth the outcome over the risk, where there are cases enough to do so."""
    if not study.enough or len(np.unique(model.scores)) < _FEWEST_RISKS:
        return None
    return smooth_calibration(study.labels, model.scores, _FRACTION)


def _measures(study: Study, model: Model, smooth: SmoothCalibration | None) -> dict[str, Any]:
    labels, risks = study.labels, model.scores
    row: dict[str, Any] = {"mean predicted": float(risks.mean()), "observed": study.prevalence}
    if smooth:
        line = calibration_line(labels, risks, study.patients)
        row |= {"slope": line.slope, "intercept": line.intercept, "in the large": line.offset}
        row |= {"ICI": smooth.ici, "E50": smooth.e50, "E90": smooth.e90}
    for variant in _VARIANTS:
        error = expected_calibration_error(labels, risks, _ECE_BINS, variant)
        row[f"ECE, {variant.replace('_', '-')}"] = error
    brier = brier_score(labels, risks, patients=study.patients)
    score = brier.score if study.enough else Estimate(brier.score.value)
    return row | {"Brier": score, "scaled Brier": brier.scaled}


def _groups(curve: ReliabilityCurve) -> list[dict[str, Any]]:
    return [
        {
            "predicted": float(x),
            "observed": float(y),
            "observed_low": float(low),
            "observed_high": float(high),
            "n": int(n),
        }
        for x, y, (low, high), n in zip(
            curve.predicted, curve.observed, curve.intervals, curve.counts, strict=True
        )
    ]


def _read_out(group: dict[str, Any]) -> str:
    ends = f"{group['observed_low']:.3f} to {group['observed_high']:.3f}"
    return (
        f"predicted {group['predicted']:.3f}, observed {group['observed']:.3f} ({ends}), "
        f"n = {group['n']:,}"
    )


def _draw(
    study: Study,
    model: Model,
    smooth: SmoothCalibration | None,
    curve: ReliabilityCurve,
    anchor: str,
) -> Chart:
    figure = draw_calibration(
        Reliability(curve.predicted, curve.observed, curve.intervals),
        (smooth.predicted, smooth.observed) if smooth else None,
        study.labels,
        model.scores,
    )
    line = f"loess of span {_FRACTION:g}" if smooth else "none, too few cases"
    return chart(
        figure,
        f"Calibration: {model.name}",
        f"Observed over predicted risk of {model.name}, {cases_of(study)}",
        f"{cases_of(study)}. Line: {line}; points: tenths of the cases by risk, with 95 % "
        "intervals. Below: positive cases upwards, negative downwards. Vertical line: the "
        "threshold.",
        anchor,
    )


def _table(study: Study, rows: list[dict[str, Any]]) -> Table:
    """Lay measures out in rows and models in columns."""
    names = dict.fromkeys(name for row in rows for name in row if name != "model")
    texts = tuple((name, *(_text(row.get(name)) for row in rows)) for name in names)
    header = ("measure", *(row["model"] for row in rows))
    return Table(f"Calibration, {cases_of(study)}; 95 % intervals", header, texts)


def _text(value: Any) -> str:
    return told(value) if isinstance(value, Estimate) else number(value)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in row.items():
        key = name.lower().replace(", ", "_").replace(" ", "_").replace("-", "_")
        plain |= columns(key, value) if isinstance(value, Estimate) else {key: value}
    return plain


def _methods(study: Study) -> Iterator[str]:
    if study.enough:
        yield (
            "Calibration: slope and intercept of a logistic regression of the outcome on the log "
            "odds of the risk (1 and 0 are perfect); in the large: its intercept with the slope "
            "held at 1 (Cox 1958; Van Calster and others 2016); variances by patient; not defined "
            "where the risks separate the classes or hardly vary. ICI, E50, E90: mean, median and "
            f"90th percentile of the distance to a loess of span {_FRACTION:g} (Austin and "
            "Steyerberg 2019)."
        )
    yield (
        f"ECE with {_ECE_BINS} bins: binary compares the risk of class 1 with its share in "
        "equal-width bins, top-label the confidence in the predicted class with its accuracy, "
        "adaptive uses bins of equal size. Brier score; scaled: one minus its ratio to that of "
        "predicting the prevalence for all. Groups of like risk: "
        f"{_BINS} of equal size, Wilson intervals at the effective number of patients."
    )
