import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from invented_study import TASKS, invent_rows
from mammography.functional.area_estimates import estimate_areas
from mammography.functional.bootstrap import patient_bootstrap
from mammography.reports.cases import pool_cases
from mammography.reports.cross_validation.measures import measure_folds
from mammography.structures.prediction import Dump
from mammography.terms import Level


@pytest.fixture
def cases():
    return pool_cases(
        Dump(TASKS, invent_rows(60, 1.5)), "invented", "malignant", Level.BREAST, "mean"
    )


@pytest.fixture
def fold_of():
    return {f"p{i:03d}": i % 3 for i in range(60)}


def test_areas_are_those_of_scikit_learn_over_all_cases_and_in_each_fold(cases, fold_of):
    found = measure_folds(cases, fold_of)
    fold = np.array([fold_of[patient] for patient in cases.patients])
    for measured, kept in [
        (found.pooled, fold >= 0),
        *((found.folds[k], fold == k) for k in range(3)),
    ]:
        labels, scores = cases.labels[kept], cases.scores[kept]
        assert measured.areas == pytest.approx(
            {
                "roc_auc": roc_auc_score(labels, scores),
                "average_precision": average_precision_score(labels, scores),
            }
        )
        assert (measured.n, measured.positives) == (kept.sum(), labels.sum())
        assert measured.patients == len(set(cases.patients[kept]))
    values = [one.areas["roc_auc"] for one in found.folds]
    assert found.mean("roc_auc") == pytest.approx(np.mean(values))
    assert found.spread("roc_auc") == pytest.approx(np.std(values, ddof=1))


def test_the_intervals_take_patients_as_units(cases, fold_of):
    found = measure_folds(cases, fold_of).pooled.intervals
    expected = estimate_areas(cases.labels, cases.patients, cases.scores)
    assert found["roc_auc"] == pytest.approx(expected.roc[0].interval)
    assert found["average_precision"] == pytest.approx(expected.precision[0].interval)
    draws = patient_bootstrap(cases.labels, cases.scores, cases.patients)["roc_auc"]
    low, high = found["roc_auc"]
    assert (high - low) / (2 * 1.96) == pytest.approx(draws.std(), rel=0.15)


def test_a_fold_with_few_cases_of_a_class_has_no_interval_and_one_without_any_no_area(cases):
    positive = {str(p) for p, label in zip(cases.patients, cases.labels, strict=True) if label}
    fold_of = {f"p{i:03d}": 0 if f"p{i:03d}" in positive else 1 for i in range(60)}
    found = measure_folds(cases, fold_of)
    assert math.isnan(found.folds[1].areas["roc_auc"])
    assert found.folds[1].intervals == {}
    assert found.mean("roc_auc") == found.folds[0].areas["roc_auc"]
    assert math.isnan(found.spread("roc_auc"))
