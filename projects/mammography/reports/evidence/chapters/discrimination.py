"""How well scores tell the classes apart: areas, ROC and precision-recall curves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mammography.functional.area_estimates import AreaEstimates
from mammography.functional.curve_bands import BootstrappedCurves
from mammography.functional.partial_area import RocRange, partial_roc_area
from mammography.functional.probabilistic_f1 import probabilistic_f_score
from mammography.reports.blocks import Chart, Row, Table, chart
from mammography.reports.evidence.chapter import Chapter, columns, told
from mammography.reports.evidence.study import Floats, Study
from mammography.reports.evidence.words import cases_of
from mammography.reports.figures.curve_comparison import (
    MOST_CURVES,
    Band,
    draw_precision_recalls,
    draw_rocs,
)
from mammography.reports.wording import number

# Specificities at which screening works.
_PART = RocRange(0.8, 1.0)
_PR = "Precision and recall"
_SAMPLED = {
    "cohort": "the share of positive cases left to chance as in a cohort",
    "case_control": "with the numbers of positive and negative patients fixed by the study",
}
_Draw = Callable[[Mapping[str, ArrayLike], ArrayLike, Sequence[Band]], Figure]


def discrimination_chapter(
    study: Study, areas: AreaEstimates, curves: BootstrappedCurves | None
) -> Chapter:
    """Tell the areas under the curves with their intervals, and draw the curves with bands.

    Args:
        study: The cases.
        areas: Of its models.
        curves: Of resampled patients; None where the cases are too few.
    """
    rows = list(_rows(study, areas))
    texts = [
        (
            row["model"],
            told(row["roc"]),
            told(row["ap"]),
            number(row["p"]),
            number(row["f"]),
        )
        for row in rows
    ]
    header = (
        "model",
        "ROC-AUC (95 %)",
        "average precision (95 %)",
        f"partial AUC, specificity ≥ {_PART.low}",
        "pF1",
    )
    table = Table(f"Areas under the curves, {cases_of(study)}", header, tuple(texts))
    files = [
        {"model": row["model"], "n": study.n, "positives": study.positives}
        | columns("roc_auc", row["roc"])
        | columns("average_precision", row["ap"])
        | {"partial_roc_auc_standardized": row["p"], "probabilistic_f1": row["f"]}
        for row in rows
    ]
    return Chapter(
        "discrimination",
        "Discrimination",
        (table, Row(tuple(_charts(study, curves, rows)))),
        {"areas": files},
        tuple(_methods(study, curves)),
    )


def _rows(study: Study, areas: AreaEstimates) -> Iterator[dict[str, Any]]:
    for model, roc, precision in zip(study.models, areas.roc, areas.precision, strict=True):
        partial = partial_roc_area(study.labels, model.scores, _PART)
        yield {
            "model": model.name,
            "roc": roc,
            "ap": precision,
            "p": partial.standardized,
            "f": probabilistic_f_score(study.labels, model.scores),
        }


def _charts(
    study: Study, curves: BootstrappedCurves | None, rows: Sequence[dict[str, Any]]
) -> Iterator[Chart]:
    shown = study.models[:MOST_CURVES]
    more = f" The first {MOST_CURVES} models are drawn." if len(study.models) > MOST_CURVES else ""
    band = "Bands: pointwise 95 %, resampled patients." if curves else "No bands: too few cases."
    kinds: tuple[tuple[str, str, str, _Draw, Floats | None], ...] = (
        ("chart-roc", "ROC", "roc", draw_rocs, curves.sensitivity if curves else None),
        ("chart-pr", _PR, "ap", draw_precision_recalls, curves.precision if curves else None),
    )
    for anchor, name, key, draw, bands in kinds:
        legend = {
            f"{model.name}: {row[key].value:.3f}": model.scores
            for model, row in zip(shown, rows, strict=False)
        }
        around = [] if curves is None or bands is None else [(curves.at, *one.T) for one in bands]
        yield chart(
            draw(legend, study.labels, around),
            name,
            f"{name} of {len(shown)} models: {'; '.join(legend)}",
            f"{cases_of(study)}. {band} Filled circles: the threshold; a click sets it.{more}",
            anchor,
        )


def _methods(study: Study, curves: BootstrappedCurves | None) -> Iterator[str]:
    yield (
        "ROC-AUC: ties count half. Average precision: the sum of precision times step in "
        f"recall; its baseline is the share of positives, here {study.prevalence:.4f}. Partial "
        f"ROC-AUC between specificity {_PART.low:g} and {_PART.high:g}, standardised as "
        "by McClish (1989): 0.5 is chance, 1 is perfect. pF1: the F1 score in which a case counts "
        "as recalled by its score (RSNA 2022); calls at a good threshold score higher."
    )
    if curves:
        options = study.options
        yield (
            "Intervals of ROC-AUC: variance of Obuchowski (1997) with patients as clusters. Of "
            "average precision: the jackknife of patients with Student's t at Satterthwaite's "
            f"degrees of freedom, {_SAMPLED[options.sampling]}. Both on the scale of log odds. The "
            f"bands: {options.repeats:,} resamples of patients with replacement, each with all "
            "cases, patients with and without a positive case drawn apart, percentiles, seed "
            f"{options.seed}; they hold at each point by itself."
        )
