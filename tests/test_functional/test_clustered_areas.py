"""Obuchowski's variance against her formulas, DeLong's, and resampled patients."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from binary_studies import draw_cases, draw_patients, small_studies, unhurried
from mammography.functional.bootstrap import patient_bootstrap
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.delong import area_interval, compare_areas, roc_areas


def by_definition(labels, patients, scores):
    """Obuchowski (1997), section 2, pair by pair and patient by patient."""
    x = [scores[(patients == p) & (labels == 1)] for p in np.unique(patients)]
    y = [scores[(patients == p) & (labels == 0)] for p in np.unique(patients)]
    all_x, all_y = np.concatenate(x), np.concatenate(y)

    def wins(a, b):
        return float((a[:, None] > b[None]).sum() + 0.5 * (a[:, None] == b[None]).sum())

    m, n = len(all_x), len(all_y)
    area = wins(all_x, all_y) / (m * n)
    v10 = np.array([wins(one, all_y) / n for one in x])
    v01 = np.array([wins(all_x, one) / m for one in y])
    dev10 = v10 - area * np.array([len(one) for one in x])
    dev01 = v01 - area * np.array([len(one) for one in y])
    i10, i01, i = sum(len(one) > 0 for one in x), sum(len(one) > 0 for one in y), len(x)
    s10 = i10 / ((i10 - 1) * m) * (dev10**2).sum()
    s01 = i01 / ((i01 - 1) * n) * (dev01**2).sum()
    s11 = i / (i - 1) * (dev10 * dev01).sum()
    return area, s10 / m + s01 / n + 2 * s11 / (m * n)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("digits", [0, 9])
def test_area_and_variance_are_those_of_the_definition_with_any_ties(seed, digits):
    labels, scores, patients = draw_patients(seed, patients=25, images=3, digits=digits)
    found = clustered_roc_areas(labels, patients, scores)
    area, variance = by_definition(labels, patients, scores)
    assert found.areas[0] == pytest.approx(area, rel=1e-12)
    assert found.areas[0] == pytest.approx(roc_auc_score(labels, scores), rel=1e-12)
    assert found.covariance[0, 0] == pytest.approx(variance, rel=1e-10)
    assert found.cases == 25


@unhurried
@given(small_studies())
def test_with_one_image_a_patient_it_is_delong(study):
    labels, scores = study
    names = [f"p{index}" for index in range(labels.size)]
    found, delong = (
        clustered_roc_areas(labels, names, scores, -scores),
        roc_areas(labels, scores, -scores),
    )
    np.testing.assert_allclose(found.areas, delong.areas, atol=1e-12)
    np.testing.assert_allclose(found.covariance, delong.covariance, atol=1e-12)


@unhurried
@given(small_studies(fewest=3))
def test_swapped_labels_give_one_minus_the_area_and_the_same_variance(study):
    labels, scores = study
    patients = np.arange(labels.size) // 2
    found = clustered_roc_areas(labels, patients, scores)
    swapped = clustered_roc_areas(1 - labels, patients, scores)
    assert found.areas[0] == pytest.approx(1 - swapped.areas[0], abs=1e-12)
    assert found.covariance[0, 0] == pytest.approx(swapped.covariance[0, 0], abs=1e-12)


@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
def test_the_standard_error_is_that_of_resampled_patients(spread):
    labels, scores, patients = draw_patients(1, patients=300, images=4, spread=spread)
    other = scores + np.random.default_rng(2).normal(size=scores.size)
    found = clustered_roc_areas(labels, patients, scores, other)
    draws = patient_bootstrap(labels, [scores, other], patients, repeats=1500)["roc_auc"]
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), draws.std(axis=0), rtol=0.07)
    test = compare_areas(found)
    error = (draws[:, 0] - draws[:, 1]).std()
    assert abs(test.difference / test.z) == pytest.approx(error, rel=0.07)


def test_images_that_are_copies_count_for_nothing():
    labels, scores, _ = draw_cases(3)
    four = [np.repeat(column, 4) for column in (labels, np.arange(labels.size), scores)]
    once, copied = roc_areas(labels, scores), clustered_roc_areas(*four)
    assert copied.covariance[0, 0] == pytest.approx(once.covariance[0, 0], rel=1e-12)
    # DeLong takes the copies for new cases: a quarter of the variance.
    plain = roc_areas(four[0], four[2])
    assert plain.covariance[0, 0] == pytest.approx(once.covariance[0, 0] / 4, rel=0.02)


def test_the_interval_covers_the_true_area_where_that_of_delong_does_not():
    truth = norm.cdf(1 / math.sqrt(2 * (1 + 2.0**2)))
    inside = {"clustered": 0, "delong": 0}
    for seed in range(300):
        rng = np.random.default_rng(seed)
        patients = np.repeat(np.arange(100), 4)
        labels = patients % 2
        scores = labels + 2 * rng.normal(size=100)[patients] + rng.normal(size=400)
        for name, found in (
            ("clustered", clustered_roc_areas(labels, patients, scores)),
            ("delong", roc_areas(labels, scores)),
        ):
            low, high = area_interval(found.areas[0], found.covariance[0, 0])
            inside[name] += low <= truth <= high
    assert 0.92 <= inside["clustered"] / 300 <= 0.98
    assert inside["delong"] / 300 < 0.80


@pytest.mark.parametrize(
    ("labels", "patients", "scores", "rule"),
    [
        ([0, 0, 0, 0], [1, 2, 3, 4], [1, 2, 3, 4], "at least 1 cases, got 0 positive"),
        ([1, 1, 0, 0], [1, 1, 2, 3], [1, 2, 3, 4], "at least 2 patients, got 1 with positive"),
        ([1, 1, 0, 0], [1, 2, 3], [1, 2, 3, 4], "one per case"),
        ([1, 1, 0, 0], [1, 2, 3, np.nan], [1, 2, 3, 4], "must have names"),
        ([1, 1, 0, 0], [1, 2, 3, 4], [1, 2, np.nan, 4], "scores finite"),
    ],
)
def test_what_is_no_study_is_refused(labels, patients, scores, rule):
    with pytest.raises(ValueError, match=rule):
        clustered_roc_areas(labels, patients, scores)
