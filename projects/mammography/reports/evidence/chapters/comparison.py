"""Models against the reference on the same cases."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.curve_bands import BootstrappedCurves
from mammography.functional.delong import AreaTest, compare_areas, roc_areas
from mammography.functional.estimate import Estimate
from mammography.functional.mcnemar import mcnemar
from mammography.functional.multiplicity import holm
from mammography.functional.resamples import Resamples
from mammography.reports.blocks import Block, Table, Text, Tone
from mammography.reports.evidence.chapter import Chapter, columns
from mammography.reports.evidence.study import Model, Study
from mammography.reports.wording import counted, p_value, signed

ROC_AUC, DELONG = "ROC-AUC, clustered", "ROC-AUC, DeLong"
PRECISION = "average precision, bootstrap"
SENSITIVITY, SPECIFICITY = "sensitivity, McNemar", "specificity, McNemar"


def comparison_chapter(study: Study, curves: BootstrappedCurves | None) -> Chapter | None:
    """Test every model against the reference; None if there is only one model.

    Args:
        study: The cases.
        curves: Of resampled patients; None where the cases are too few.
    """
    if len(study.models) < 2:
        return None
    title = "Comparison of models"
    if curves is None:
        text = "No test: too few cases of a class."
        return Chapter("comparison", title, (Text(text, Tone.MISSING),), methods=(text,))
    rows = [
        row
        for index, model in enumerate(study.models)
        if index != study.options.reference
        for row in _rows(study, model, index, curves)
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
    study: Study, model: Model, index: int, curves: BootstrappedCurves
) -> Iterator[dict[str, Any]]:
    both = (model.scores, study.reference.scores)
    for measure, areas in (
        (ROC_AUC, clustered_roc_areas(study.labels, study.patients, *both)),
        (DELONG, roc_areas(study.labels, *both)),
    ):
        yield _area_row(model, measure, compare_areas(areas))
    drawn = curves.average_precision.contrast(index, study.options.reference)
    row = {"model": model.name, "measure": PRECISION, "difference": drawn.estimates()[0]}
    yield row | {"p": bootstrap_p_value(drawn)}
    calls = [one.scores >= one.threshold.value for one in (model, study.reference)]
    for measure, label in ((SENSITIVITY, 1), (SPECIFICITY, 0)):
        chosen = study.labels == label
        right = [call[chosen] == bool(label) for call in calls]
        test = mcnemar(*right)
        row = {"model": model.name, "measure": measure, "difference": test.difference}
        yield row | {"p": test.p_exact}


def _area_row(model: Model, measure: str, test: AreaTest) -> dict[str, Any]:
    found = Estimate(test.difference, test.interval)
    return {"model": model.name, "measure": measure, "difference": found, "p": test.p_value}


def bootstrap_p_value(drawn: Resamples) -> float:
    """Return the two-sided p-value that matches the percentile interval of a difference.

    Twice the share of resamples on the other side of no difference, counting the study itself.
    """
    values = drawn.draws[:, 0]
    below, above = int((values <= 0).sum()), int((values >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (len(values) + 1))


def _methods(study: Study, tests: int) -> Iterator[str]:
    yield (
        f"Comparisons are paired, two-sided, with {study.reference.name}: ROC-AUC by the "
        "clustered covariance (Obuchowski 1997) and, for readers who expect it, by DeLong (1988), "
        "which takes cases as independent; average precision by the same resamples for both "
        "models; sensitivity and specificity at the threshold of each model by McNemar's exact "
        "test, which takes cases as independent too. p, Holm: adjusted for the "
        f"{counted(tests, 'test')} of this page, without DeLong's (Holm 1979)."
    )
    if any(np.array_equal(model.scores, study.reference.scores) for model in _others(study)):
        yield "A model with the scores of the reference has difference 0 and p 1 by definition."


def _others(study: Study) -> list[Model]:
    return [m for index, m in enumerate(study.models) if index != study.options.reference]
