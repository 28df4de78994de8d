"""Areas with the intervals to report: their parts, and what is too little for an interval."""

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from binary_studies import draw_cases, draw_patients
from mammography.functional.area_estimates import estimate_areas
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.delong import area_interval, roc_areas
from mammography.functional.precision_areas import jackknife_average_precisions


def test_areas_are_those_of_scikit_learn_and_intervals_those_of_their_functions():
    labels, scores, patients = draw_patients(3)
    other = scores + np.random.default_rng(1).normal(size=scores.size)
    found = estimate_areas(labels, patients, scores, other, level=0.9)
    for row, score in enumerate((scores, other)):
        assert found.roc[row].value == pytest.approx(roc_auc_score(labels, score))
        assert found.precision[row].value == pytest.approx(average_precision_score(labels, score))
        area = clustered_roc_areas(labels, patients, score)
        theirs = area_interval(float(area.areas[0]), float(area.covariance[0, 0]), 0.9)
        assert found.roc[row].interval == pytest.approx(theirs)
        jackknife = jackknife_average_precisions(labels, patients, score)
        theirs = jackknife.estimates(0.9, "logit")[0].interval
        assert found.precision[row].interval == pytest.approx(theirs)


def test_with_one_case_a_patient_the_interval_is_delongs():
    labels, scores, _ = draw_cases(2)
    found = estimate_areas(labels, range(labels.size), scores)
    area = roc_areas(labels, scores)
    theirs = area_interval(float(area.areas[0]), float(area.covariance[0, 0]))
    assert found.roc[0].interval == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("positives", "negatives", "patients"),
    [(9, 40, range(49)), (40, 9, range(49)), (20, 20, [0] * 20 + [*range(1, 21)])],
)
def test_too_few_cases_or_patients_of_a_class_give_no_interval(positives, negatives, patients):
    labels, scores, _ = draw_cases(0, positives, negatives)
    found = estimate_areas(labels, patients, scores)
    assert found.roc[0].value == pytest.approx(roc_auc_score(labels, scores))
    assert np.isnan([found.roc[0].interval, found.precision[0].interval]).all()
    assert found.roc_areas is None
    assert found.precisions is None


def test_one_class_alone_has_no_area():
    found = estimate_areas([1] * 12, range(12), np.arange(12))
    assert math.isnan(found.roc[0].value)
    assert math.isnan(found.precision[0].value)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="estimate_areas: labels must be 0 or 1 and scores finite"):
        estimate_areas([0, 1] * 10, range(20), [np.nan] * 20)
