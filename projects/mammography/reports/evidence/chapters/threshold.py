"""What happens at a threshold, which one may move, and which thresholds one may want."""

from collections.abc import Iterator, Sequence
from typing import Any

from mammography.functional.predictive_values import PredictiveValues
from mammography.reports.blocks import Block, Table, Text, Tone
from mammography.reports.evidence.chapter import Chapter, columns, told
from mammography.reports.evidence.live import (
    RATE_TITLES,
    assumed_prevalence,
    cost_of,
    cost_table,
    counts_of,
    counts_table,
    rates_of,
    rates_table,
    threshold_text,
)
from mammography.reports.evidence.operating import Operating, operating_points
from mammography.reports.evidence.patient_rates import predictive_values_of, rates_by_patient
from mammography.reports.evidence.study import Study
from mammography.terms import Level

_Values = PredictiveValues | None
_OPTIMISTIC = (
    "The operating points below are chosen on these cases: they show what the curve offers. A "
    "threshold to work with must be chosen on other cases (validation), then judged here."
)


def threshold_chapter(study: Study) -> Chapter:
    """Tell decisions, rates and cost at the threshold, and a choice of operating points."""
    points = list(operating_points(study))
    values = [predictive_values_of(study, model) for model in study.models]
    blocks: tuple[Block, ...] = (
        Text(
            "Cases with at least this score are recalled. The slider at the foot of the page "
            "moves all tables of this part, those of the subgroups, and the marks on the figures."
        ),
        rates_table(study),
        counts_table(study),
        cost_table(study),
        *_patient_tables(study),
        *_predictive_tables(study, values),
        Text(_OPTIMISTIC, Tone.WARNING),
        _points_table(study, points),
    )
    files = {
        "at_threshold": list(_threshold_rows(study, values)),
        "operating_points": [_point_row(study, point) for point in points],
    }
    return Chapter(
        "threshold", "At a threshold", blocks, files, tuple(_methods(study, any(values)))
    )


def _patient_tables(study: Study) -> Iterator[Table]:
    """Tell the rates with intervals between patients, where some have several cases."""
    if study.options.level is Level.PATIENT:
        return
    rows = tuple(
        (
            model.name,
            threshold_text(model.threshold.value),
            *(told(rate) for rate in rates_by_patient(study, model).values()),
        )
        for model in study.models
    )
    header = ("model", "threshold", *(f"{title} (95 %)" for title in RATE_TITLES))
    caption = "At the stated threshold, intervals between patients (above: between cases)"
    yield Table(caption, header, rows)


def _predictive_tables(study: Study, values: Sequence[_Values]) -> Iterator[Table]:
    """Tell what calls mean at a prevalence that is not that of the cases."""
    rows = [
        (model.name, threshold_text(model.threshold.value), told(found.ppv), told(found.npv))
        for model, found in zip(study.models, values, strict=True)
        if found
    ]
    if rows:
        share = 100 * assumed_prevalence(study)
        caption = f"Predictive values at a prevalence of {share:.2f} %, at the stated threshold"
        yield Table(caption, ("model", "threshold", "PPV (95 %)", "NPV (95 %)"), tuple(rows))


def _threshold_rows(study: Study, values: Sequence[_Values]) -> Iterator[dict[str, Any]]:
    for model, found in zip(study.models, values, strict=True):
        counts = counts_of(study, model)
        row: dict[str, Any] = {"model": model.name, "threshold": model.threshold.value}
        row |= {"origin": model.threshold.origin} | counts
        for name, rate in rates_of(counts).items():
            row |= columns(name, rate)
        for name, rate in rates_by_patient(study, model).items():
            low, high = rate.interval
            row |= {f"{name}_patients_low": low, f"{name}_patients_high": high}
        if found:
            row |= columns("ppv_at_prevalence", found.ppv)
            row |= columns("npv_at_prevalence", found.npv)
        cost = cost_of(counts, assumed_prevalence(study))
        row |= {f"{name}_per_1000": value for name, value in cost.items()}
        yield row | {"assumed_prevalence": assumed_prevalence(study)}


def _points_table(study: Study, points: list[Operating]) -> Table:
    rows = []
    for point in points:
        cost = cost_of(point.counts, assumed_prevalence(study))
        rates = rates_of(point.counts)
        rows.append(
            (
                point.model,
                point.rule,
                threshold_text(point.threshold),
                f"{rates['sensitivity'].value:.3f}",
                f"{rates['specificity'].value:.3f}",
                f"{rates['ppv'].value:.3f}" if rates["ppv"].value >= 0 else "not defined",
                *(f"{value:.1f}" for value in cost.values()),
            )
        )
    header = (
        *("model", "operating point", "threshold", "sensitivity", "specificity", "PPV"),
        *("recalled", "found", "missed", "false positives"),
    )
    prevalence = 100 * assumed_prevalence(study)
    caption = f"Operating points; the last four columns per 1,000 screened at {prevalence:.2f} %"
    return Table(caption, header, tuple(rows), wide=(1,))


def _point_row(study: Study, point: Operating) -> dict[str, Any]:
    row: dict[str, Any] = {"model": point.model, "rule": point.rule, "threshold": point.threshold}
    row |= point.counts
    for name, rate in rates_of(point.counts).items():
        row |= columns(name, rate)
    cost = cost_of(point.counts, assumed_prevalence(study))
    return row | {f"{name}_per_1000": value for name, value in cost.items()}


def _methods(study: Study, has_values: bool) -> Iterator[str]:
    origins = "; ".join(
        f"{model.name} {threshold_text(model.threshold.value)}, {model.threshold.origin}"
        for model in study.models
    )
    yield (
        f"A case is recalled when its score is at least the threshold ({origins}). Intervals of "
        "sensitivity, specificity, PPV, NPV and recall rate: Wilson (1927), which takes cases as "
        "independent; those between patients, at the stated threshold: Wilson's at the number of "
        "independent cases that would vary as much (Rao and Scott 1992). No interval is given for "
        "a class of fewer than ten cases of a subgroup."
    )
    if has_values:
        yield (
            "Predictive values at a prevalence: from sensitivity and specificity, intervals on the "
            "scale of log odds (Mercaldo, Lau and Zhou 2007), between patients where they have "
            "several cases; the prevalence is taken as known."
        )
    yield (
        "Cost per 1,000 screened: sensitivity and false positive rate at the threshold, times "
        f"1,000 at a prevalence of {100 * assumed_prevalence(study):.2f} % "
        + ("(given)." if study.options.prevalence else "(that of the cases).")
    )
