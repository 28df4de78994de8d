"""Models against the reference on the same cases."""

from collections.abc import Iterator
from math import isnan
from typing import Any

import numpy as np

from mammography.functional.area_estimates import AreaEstimates
from mammography.functional.delong import AreaTest, RocAreas, compare_areas, roc_areas
from mammography.functional.estimate import Estimate
from mammography.functional.jackknife import Jackknife
from mammography.functional.mcnemar import mcnemar
from mammography.functional.multiplicity import holm
from mammography.reports.blocks import Block, Table, Text, Tone
from mammography.reports.evidence.chapter import Chapter, columns
from mammography.reports.evidence.study import Model, Study
from mammography.reports.wording import counted, p_value, signed

ROC_AUC, DELONG = "ROC-AUC, clustered", "ROC-AUC, DeLong"
PRECISION = "average precision, jackknife"
SENSITIVITY, SPECIFICITY = "sensitivity, McNemar", "specificity, McNemar"


def comparison_chapter(study: Study, areas: AreaEstimates) -> Chapter | None:
    """Test every model against the reference; None if there is only one model.

    Args:
        study: The cases.
        areas: Of its models.
    """
    if len(study.models) < 2:
        return None
    title = "Comparison of models"
    roc, precisions = areas.roc_areas, areas.precisions
    if roc is None or precisions is None:
        text = "No test: too few cases of a class."
        return Chapter("comparison", title, (Text(text, Tone.MISSING),), methods=(text,))
    rows = [
        row
        for index, model in enumerate(study.models)
        if index != study.options.reference
        for row in _rows(study, model, index, roc, precisions)
    ]
    # DeLong's plain test stands beside the clustered one and is no test more.
    tested = [row for row in rows if row["measure"] != DELONG]
    for row, adjusted in zip(tested, holm([row["p"] for row in tested]), strict=True):
        row["p_holm"] = float(adjusted)
    texts = tuple(
        (
            row["model"],
            row["measure"],
            signed(row["difference"].value, row["difference"].interval),
            p_value(row["p"]),
            p_value(row["p_holm"]) if "p_holm" in row else "–",  # noqa: RUF001
        )
        for row in rows
    )
    header = ("model", "measure", "difference (95 %)", "p", "p, Holm")
    table = Table(
        f"Difference to {study.reference.name}, n = {study.n:,}, {study.positives:,} positive",
        header,
        texts,
        wide=(1,),
    )
    files = [
        {"model": row["model"], "reference": study.reference.name, "measure": row["measure"]}
        | columns("difference", row["difference"])
        | {"p": row["p"], "p_holm": row.get("p_holm")}
        for row in rows
    ]
    blocks: tuple[Block, ...] = (table,)
    return Chapter(
        "comparison", title, blocks, {"comparison": files}, tuple(_methods(study, len(tested)))
    )


def _rows(
    study: Study, model: Model, index: int, roc: RocAreas, precisions: Jackknife
) -> Iterator[dict[str, Any]]:
    pair = index, study.options.reference
    plain = roc_areas(study.labels, model.scores, study.reference.scores)
    for measure, areas in ((ROC_AUC, roc.pair(*pair)), (DELONG, plain)):
        yield _area_row(model, measure, compare_areas(areas))
    apart = precisions.contrast(*pair)
    row = {"model": model.name, "measure": PRECISION, "difference": apart.estimates()[0]}
    yield row | {"p": apart.p_values()[0]}
    calls = [one.scores >= one.threshold.value for one in (model, study.reference)]
    for measure, label in ((SENSITIVITY, 1), (SPECIFICITY, 0)):
        chosen = study.labels == label
        first, second = (call[chosen] == bool(label) for call in calls)
        test = mcnemar(first, second, study.patients[chosen])
        row = {"model": model.name, "measure": measure, "difference": test.difference}
        yield row | {"p": test.p_exact if isnan(test.p_patients) else test.p_patients}


def _area_row(model: Model, measure: str, test: AreaTest) -> dict[str, Any]:
    found = Estimate(test.difference, test.interval)
    return {"model": model.name, "measure": measure, "difference": found, "p": test.p_value}


def _methods(study: Study, tests: int) -> Iterator[str]:
    yield (
        f"Comparisons are paired, two-sided, with {study.reference.name}: ROC-AUC by the "
        "clustered covariance (Obuchowski 1997) and, for readers who expect it, by DeLong (1988), "
        "which takes cases as independent; average precision by the jackknife of patients; "
        "sensitivity and specificity at the threshold of each model by McNemar's exact test, or, "
        "where patients have several cases, by Obuchowski's of clustered pairs (1998), with the "
        "score interval of Tango (1998) at the number of independent cases that would vary as "
        "much. p, Holm: adjusted for the "
        f"{counted(tests, 'test')} of this page, without DeLong's (Holm 1979)."
    )
    if any(np.array_equal(model.scores, study.reference.scores) for model in _others(study)):
        yield "A model with the scores of the reference has difference 0 and p 1 by definition."


def _others(study: Study) -> list[Model]:
    return [m for index, m in enumerate(study.models) if index != study.options.reference]
