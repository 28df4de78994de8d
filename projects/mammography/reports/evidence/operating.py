"""Thresholds that one may want, chosen by a rule on the cases at hand."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mammography.functional.operating_points import (
    OperatingPoint,
    operating_point,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    youden,
)
from mammography.reports.evidence.study import Model, Study

_SENSITIVITIES = (0.8, 0.9, 0.95)
_SPECIFICITIES = (0.9, 0.95)
_RECALLS = (0.05, 0.1)


@dataclass(frozen=True)
class Operating:
    """An operating point of a model.

    Attributes:
        model: Its name.
        rule: How the threshold was chosen.
        threshold: Cases with at least this score are recalled.
        counts: The four outcomes there.
    """

    model: str
    rule: str
    threshold: float
    counts: dict[str, int]


def operating_points(study: Study) -> Iterator[Operating]:
    """Yield for each model its stated threshold and what the curve offers.

    Of all thresholds that keep a rule the one is taken that costs least, and of equals the one that
    recalls fewest. None lies between scores.
    """
    for model in study.models:
        for rule, point in _points(study, model):
            counts = {"tp": point.tp, "fn": point.fn, "fp": point.fp, "tn": point.tn}
            yield Operating(model.name, rule, point.threshold, counts)


def _points(study: Study, model: Model) -> Iterator[tuple[str, OperatingPoint]]:
    cases = study.labels, model.scores
    yield "stated threshold", operating_point(*cases, model.threshold.value)
    yield "highest sensitivity + specificity (Youden)", youden(*cases)
    for least in _SENSITIVITIES:
        yield f"sensitivity ≥ {least}", specificity_at_sensitivity(*cases, least)
    for least in _SPECIFICITIES:
        yield f"specificity ≥ {least}", sensitivity_at_specificity(*cases, least)
    for most in _RECALLS:
        threshold = _lowest_that_recalls(model, most)
        yield f"recall rate ≤ {100 * most:g} %", operating_point(*cases, threshold)


def _lowest_that_recalls(model: Model, most: float) -> float:
    """Return the lowest score from which on at most a share of the cases is recalled."""
    values, counts = np.unique(model.scores, return_counts=True)
    recalled = counts[::-1].cumsum() / counts.sum()
    kept = values[::-1][recalled <= most]
    return float(kept[-1]) if len(kept) else float(np.nextafter(values[-1], np.inf))
