"""What was evaluated, how well it did in one table, and what to beware of."""

from collections.abc import Iterator
from math import isfinite

import numpy as np

from mammography.functional.area_estimates import AreaEstimates
from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.functional.estimate import Estimate
from mammography.reports.blocks import Block, Facts, Text, Tile, Tiles, Tone
from mammography.reports.cases import CASES
from mammography.reports.evidence.chapter import Chapter
from mammography.reports.evidence.live import threshold_text
from mammography.reports.evidence.patient_rates import rates_by_patient
from mammography.reports.evidence.study import Study
from mammography.reports.evidence.words import cases_of, score_of
from mammography.reports.wording import counted, number
from mammography.terms import Split

PSEUDONYMS = (
    "Images are named as in the predictions: by pseudonyms where tools/prepare_dataset.py made "
    "the data. The page may show mammograms: keep it as you keep them."
)


def summary_chapter(study: Study, areas: AreaEstimates) -> Chapter:
    """Say what was evaluated and found; warnings first.

    Args:
        study: The cases.
        areas: Of its models.
    """
    warnings: list[Block] = [Text(text, Tone.WARNING) for text in _warnings(study)]
    tiles = tuple(_tiles(study, index, areas) for index in range(min(len(study.models), 3)))
    return Chapter(
        "summary", "Summary", (*warnings, *tiles, Facts(_facts(study)), Text(PSEUDONYMS))
    )


def _tiles(study: Study, index: int, areas: AreaEstimates) -> Tiles:
    model = study.models[index]
    found = {"ROC-AUC": areas.roc[index], "average precision": areas.precision[index]}
    rates = rates_by_patient(study, model)
    found |= {name: rates[name] for name in ("sensitivity", "specificity")}
    at = threshold_text(model.threshold.value)
    tiles = tuple(
        Tile(f"{name} at {at}" if name in rates else name, number(one.value), _interval(one))
        for name, one in found.items()
    )
    return Tiles(model.name, tiles)


def _interval(found: Estimate) -> str:
    low, high = found.interval
    return f"95 % {low:.3f} to {high:.3f}" if isfinite(low) else "no interval"


def _facts(study: Study) -> tuple[tuple[str, str], ...]:
    options = study.options
    rows = [
        ("Outcome", f"{study.task.name}: {study.task.classes[1]} against {study.task.classes[0]}"),
        ("One case", f"one {CASES[options.level]}; its score is {score_of(study)}"),
        (
            "Cases",
            f"{cases_of(study)}, of {counted(len(np.unique(study.patients)), 'patient')}"
            + (f"; {study.unlabelled:,} without a label left out" if study.unlabelled else ""),
        ),
        *((model.name, model.full_name) for model in study.models if model.name != model.full_name),
        *(
            (
                f"Threshold of {model.name}" if len(study.models) > 1 else "Threshold",
                f"{model.threshold.value:.4g}, {model.threshold.origin}",
            )
            for model in study.models
        ),
        ("Annotations", study.joined.note),
    ]
    if len(study.models) > 1:
        rows.insert(3, ("Compared with", study.reference.name))
    return tuple(rows)


def _warnings(study: Study) -> Iterator[str]:
    negatives = study.n - study.positives
    if not study.enough:
        yield (
            f"{study.positives:,} positive and {negatives:,} negative cases: fewer than "
            f"{FEWEST_OF_A_CLASS} of a class give no interval and no test. The numbers below show "
            "that the chain runs; they say nothing about how well it works."
        )
    seen = sum(row.split == Split.TRAIN for member in study.members for row in member)
    if seen:
        yield f"{counted(seen, study.rows)} of the training split: the results are flattered."
    if any(model.threshold.optimistic for model in study.models):
        yield (
            "No threshold was carried from validation. It was chosen on the cases that it is "
            "judged on, so that sensitivity, specificity and all counts at it are optimistic. Give "
            "one with --threshold, or test with one chosen on validation."
        )
    if study.prevalence > 0.05 and study.options.prevalence is None:
        yield (
            f"{100 * study.prevalence:.1f} % of the cases are positive, more than in screening: "
            "PPV, NPV, net benefit and the cost of a threshold hold at this prevalence only. Set "
            "the one of your screening under \u201cAt a threshold\u201d or with --prevalence."
        )
