"""Thresholds that one may want, chosen by a rule on the cases at hand."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mammography.functional.confusion import confusion_at
from mammography.reports.evidence.live import counts_in, counts_of
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

    Of all thresholds that keep a rule the one is taken that costs least: the highest that reaches
    a sensitivity, the lowest that keeps a specificity or a recall rate. None lies between
    scores.
    """
    for model in study.models:
        value = model.threshold.value
        yield Operating(model.name, "stated threshold", value, counts_of(study, model))
        yield from _offered(study, model)


def _offered(study: Study, model: Model) -> Iterator[Operating]:
    values = np.unique(model.scores)[::-1]
    found = confusion_at(study.labels, model.scores, values)
    sensitivity = found.true_positive / study.positives
    specificity = found.true_negative / (study.n - study.positives)
    recalled = (found.true_positive + found.false_positive) / study.n
    rules: list[tuple[str, NDArray[np.intp]]] = [
        ("highest sensitivity + specificity (Youden)", _first_best(sensitivity + specificity))
    ]
    rules += [
        (f"sensitivity ≥ {least}", np.flatnonzero(sensitivity >= least)[:1])
        for least in _SENSITIVITIES
    ]
    rules += [
        (f"specificity ≥ {least}", np.flatnonzero(specificity >= least)[-1:])
        for least in _SPECIFICITIES
    ]
    rules += [
        (f"recall rate ≤ {100 * most:g} %", np.flatnonzero(recalled <= most)[-1:])
        for most in _RECALLS
    ]
    for rule, chosen in rules:
        for at in chosen:
            one = confusion_at(study.labels, model.scores, values[at])
            yield Operating(model.name, rule, float(values[at]), counts_in(one))


def _first_best(values: NDArray[np.float64]) -> NDArray[np.intp]:
    return np.array([int(np.argmax(values))])
