"""DeLong's variance against its definition, resampling, and what sklearn says of the area."""

import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from mammography.functional.delong import RocAreas, area_interval, compare_areas, roc_areas


def draw(seed, positives=30, negatives=50, digits=1):
    """Two scores of the same cases that agree in part, with many ties."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 0], [positives, negatives])
    skill = labels + rng.normal(size=labels.size)
    first, second = (np.round(skill + rng.normal(size=labels.size), digits) for _ in range(2))
    return labels, first, second


def by_definition(labels, *scores):
    """Equations 3 to 6 of DeLong et al. (1988), pair by pair."""
    kernel = [
        (s[labels == 1][:, None] > s[labels == 0][None]) + 0.5 * (
            s[labels == 1][:, None] == s[labels == 0][None]
        )
        for s in scores
    ]  # fmt: skip
    areas = np.array([k.mean() for k in kernel])
    cases = np.array([k.mean(axis=1) for k in kernel]) - areas[:, None]
    controls = np.array([k.mean(axis=0) for k in kernel]) - areas[:, None]
    m, n = kernel[0].shape
    return areas, cases @ cases.T / (m - 1) / m + controls @ controls.T / (n - 1) / n


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_areas_and_covariance_are_those_of_the_definition_with_any_ties(seed, digits):
    labels, *scores = draw(seed, digits=digits)
    found = roc_areas(labels, *scores)
    areas, covariance = by_definition(labels, *scores)
    np.testing.assert_allclose(found.areas, areas, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-10)
    np.testing.assert_allclose(found.areas, [roc_auc_score(labels, s) for s in scores])


def test_neither_the_order_of_the_cases_nor_a_rising_map_of_a_score_changes_anything():
    labels, first, second = draw(0)
    order = np.random.default_rng(1).permutation(labels.size)
    one = roc_areas(labels, first, second)
    other = roc_areas(labels[order], np.exp(first[order]), 3 * second[order] - 7)
    np.testing.assert_allclose(other.areas, one.areas)
    np.testing.assert_allclose(other.covariance, one.covariance)


def test_the_spread_of_areas_over_many_studies_is_the_one_that_it_states():
    studies = [roc_areas(*draw(seed)) for seed in range(400)]
    spread = np.cov(np.stack([s.areas for s in studies]).T)
    stated = np.mean([s.covariance for s in studies], axis=0)
    np.testing.assert_allclose(stated, spread, rtol=0.2)


def test_the_interval_covers_the_true_area_as_often_as_it_says():
    truth = norm.cdf(1 / 2)  # Two normals one apart, each with variance 2.
    intervals = [
        area_interval(s.areas[0], s.covariance[0, 0])
        for s in (roc_areas(*draw(seed, digits=9)) for seed in range(400))
    ]
    covered = np.mean([low <= truth <= high for low, high in intervals])
    assert 0.92 <= covered <= 0.98


def test_the_interval_on_the_scale_of_log_odds_stays_inside_and_the_plain_one_is_cut():
    assert area_interval(0.98, 0.0004, scale="plain")[1] == 1.0
    low, high = area_interval(0.98, 0.0004)
    assert 0 < low < 0.98 < high < 1
    assert math.log(high / (1 - high)) + math.log(low / (1 - low)) == pytest.approx(
        2 * math.log(0.98 / 0.02)
    )
    z = norm.ppf(0.95)
    assert area_interval(0.7, 0.01, 0.9, "plain") == pytest.approx((0.7 - z * 0.1, 0.7 + z * 0.1))


def test_all_cases_in_order_tell_nothing_about_the_variance():
    found = roc_areas([0, 0, 1, 1], [1, 2, 3, 4])
    assert found.areas[0] == 1
    assert all(map(math.isnan, area_interval(1.0, found.covariance[0, 0])))


def test_a_paired_test_rejects_as_often_as_its_level_when_there_is_no_difference():
    tests = [compare_areas(roc_areas(*draw(seed, digits=9))) for seed in range(400)]
    assert 0.02 <= np.mean([test.p_value < 0.05 for test in tests]) <= 0.08


def test_pairing_sharpens_the_test_and_an_unpaired_one_adds_the_variances():
    labels, first, second = draw(3)
    paired = compare_areas(roc_areas(labels, first, second))
    unpaired = compare_areas(roc_areas(labels, first), roc_areas(labels, second))
    assert unpaired.difference == paired.difference
    assert abs(paired.z) > abs(unpaired.z)
    total = sum(roc_areas(labels, score).covariance[0, 0] for score in (first, second))
    assert unpaired.z == pytest.approx(unpaired.difference / math.sqrt(total))
    assert paired.interval[0] < paired.difference < paired.interval[1]


def test_a_score_does_not_differ_from_itself():
    labels, first, _ = draw(4)
    test = compare_areas(roc_areas(labels, first, first))
    assert (test.difference, test.p_value) == (0, 1)


@pytest.mark.parametrize(
    ("labels", "scores", "rule"),
    [
        ([0, 1, 1], [[1, 2, 3]], "at least 2 cases, got 2 positive, 1 negative"),
        ([0, 0, 1, 2], [[1, 2, 3, 4]], "labels must be 0 or 1"),
        ([0, 0, 1, 1], [[1, 2, 3, np.nan]], "scores finite"),
        ([0, 0, 1, 1], [[1, 2, 3]], "as many"),
        ([0, 0, 1, 1], [], "as many"),
    ],
)
def test_what_is_no_study_is_refused(labels, scores, rule):
    with pytest.raises(ValueError, match=rule):
        roc_areas(labels, *scores)


def test_a_test_needs_two_areas():
    with pytest.raises(ValueError, match="must be two, got 1"):
        compare_areas(RocAreas(np.array([0.5]), np.array([[0.1]])))
