"""What decisions by the scores are worth: net benefit over the threshold risk."""

from collections.abc import Iterator
from math import isfinite
from typing import Any

import numpy as np

from mammography.functional.decision_curve import DecisionCurve, decision_curve
from mammography.functional.estimate import Estimate
from mammography.reports.blocks import Row, Table, Text, Tone, chart
from mammography.reports.evidence.chapter import Chapter, columns
from mammography.reports.evidence.chapters.calibration import NOT_RISKS, are_risks
from mammography.reports.evidence.study import Study
from mammography.reports.evidence.words import cases_of
from mammography.reports.figures.calibration import Benefit, draw_decision_curve

# Share of the highest net benefit below which a threshold is of no use.
_LEAST_USE = 0.02
_FEWEST_DRAWN = 20
_SHOWN = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


def decision_chapter(study: Study) -> Chapter:
    """Draw and tabulate the net benefit of each model, of recalling all and of recalling nobody."""
    title = "Decision curve"
    if not are_risks(study):
        return Chapter("decision", title, (Text(NOT_RISKS, Tone.MISSING),))
    curve = _curve(study)
    rows = list(_rows(study, curve))
    last = _last_useful(curve)
    models = [
        Benefit(
            model.name,
            curve.net_benefit[index][:last],
            curve.net_benefit_intervals[index][:last] if study.enough else None,
        )
        for index, model in enumerate(study.models)
    ]
    band = "Bands: pointwise 95 %, resampled patients." if study.enough else ""
    drawn = chart(
        draw_decision_curve(curve.thresholds[:last], models, curve.treat_all[:last]),
        title,
        f"Net benefit of {len(models)} models over the threshold risk",
        f"{cases_of(study)}. Net benefit: true positives per case minus false positives per case "
        f"times the odds of the threshold. {band} Filled circles: the threshold of the page.",
        "chart-decision",
    )
    return Chapter(
        "decision",
        title,
        (Row((drawn,)), _table(study, rows)),
        {"decision_curve": [_plain(row) for row in rows]},
        tuple(_methods(study)),
    )


def _curve(study: Study) -> DecisionCurve:
    return decision_curve(
        study.labels,
        np.stack([model.scores for model in study.models]),
        np.arange(1, 100) / 100,
        study.patients if study.enough else None,
        prevalence=study.options.prevalence,
        repeats=study.options.repeats,
        seed=study.options.seed,
    )


def _last_useful(curve: DecisionCurve) -> int:
    """Return how many thresholds to draw: a little more than up to the last one of any use."""
    best = np.maximum(curve.net_benefit.max(axis=0), curve.treat_all)
    useful = np.flatnonzero(best > _LEAST_USE * best.max())
    last = int(useful[-1]) if len(useful) else len(best)
    return min(len(best), max(_FEWEST_DRAWN, int(last * 1.1) + 2))


def _rows(study: Study, curve: DecisionCurve) -> Iterator[dict[str, Any]]:
    for at, threshold in enumerate(curve.thresholds):
        for index, model in enumerate(study.models):
            row: dict[str, Any] = {"model": model.name, "threshold": float(threshold)}
            for name, values, intervals in (
                ("net_benefit", curve.net_benefit, curve.net_benefit_intervals),
                ("avoided", curve.avoided, curve.avoided_intervals),
            ):
                low, high = map(float, intervals[index, at])
                row[name] = Estimate(float(values[index, at]), (low, high))
            yield row | {"treat_all": float(curve.treat_all[at])}


def _table(study: Study, rows: list[dict[str, Any]]) -> Table:
    texts = tuple(
        (
            f"{row['threshold']:.2f}",
            row["model"],
            _benefit(row["net_benefit"]),
            f"{row['treat_all']:.4f}",
            f"{100 * row['avoided'].value:.1f}",
        )
        for row in rows
        if any(abs(row["threshold"] - shown) < 1e-9 for shown in _SHOWN)
    )
    header = ("threshold", "model", "net benefit (95 %)", "of recalling all", "avoided per 100")
    return Table(
        f"Net benefit at some thresholds, {study.n:,} cases; all of them in the CSV file",
        header,
        texts,
        wide=(1,),
    )


def _benefit(found: Estimate) -> str:
    """Write a net benefit, which is below the prevalence, with a digit more than other numbers."""
    low, high = found.interval
    ends = f" ({low:.4f} to {high:.4f})" if isfinite(low) else ""
    return f"{found.value:.4f}{ends}"


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in row.items():
        plain |= columns(name, value) if isinstance(value, Estimate) else {name: value}
    return plain


def _methods(study: Study) -> Iterator[str]:
    options = study.options
    resampled = (
        f" Intervals: {options.repeats:,} resamples of patients, percentiles, seed {options.seed}."
        if study.enough
        else ""
    )
    prevalence = f"at a prevalence of {options.prevalence:g}" if options.prevalence else "as tested"
    yield (
        "Decision curve (Vickers and Elkin 2006): net benefit = TP / n - FP / n x t / (1 - t) at "
        f"threshold risk t, {prevalence}. Avoided per 100: recalls avoided per 100 cases without "
        f"missing more cancers than recalling all would.{resampled} It needs calibrated risks."
    )
