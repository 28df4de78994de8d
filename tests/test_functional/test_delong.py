"""DeLong's variance against its definition, resampling, and what sklearn says of the area."""

import math

import numpy as np
import pytest
from hypothesis import given
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from binary_studies import small_studies, unhurried
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


def test_a_published_table_gives_the_area_and_interval_of_proc():
    # Outcome by grade in pROC's example study (Turck et al., Intensive Care Medicine 2010;36:107):
    # Good and Poor by grades 1 to 5. pROC's tests (test-auc.R, test-var.R) state both numbers.
    good, poor = [37, 20, 3, 8, 4], [2, 12, 1, 8, 18]
    labels = np.repeat([0, 1], [sum(good), sum(poor)])
    grades = np.repeat([*range(1, 6)] * 2, good + poor)
    found = roc_areas(labels, grades)
    assert found.areas[0] == pytest.approx(0.823678861788618, rel=1e-12)
    assert found.covariance[0, 0] == pytest.approx(0.00146991470882363, rel=1e-12)
    assert found.cases == 113


# Three markers of that study, as pROC's tests state them: test-auc.R, test-var.R, test-cov.R.
GRADE, S100B, NDKA = range(3)
PROC = RocAreas(
    np.array([0.823678861788618, 0.731368563685637, 0.611957994579946]),
    np.array(
        [
            [0.00146991470882363, 0.00119615567376754, -0.000532967856762438],
            [0.00119615567376754, 0.00266868245717244, -0.000756164938056579],
            [-0.000532967856762438, -0.000756164938056579, 0.0031908105493913],
        ]
    ),
    113,
)


def of_proc(*rows):
    return RocAreas(PROC.areas[[*rows]], PROC.covariance[np.ix_(rows, rows)], PROC.cases)


@pytest.mark.parametrize(
    ("pair", "z", "p_value", "interval"),
    [
        (
            (GRADE, S100B),
            2.20898359144091,
            0.0271757822291882,
            (0.0104061769564846, 0.174214419249478),
        ),
        (
            (GRADE, NDKA),
            2.79777591868904,
            0.00514557970691098,
            (0.0634011709339876, 0.3600405634833566),
        ),
        (
            (NDKA, S100B),
            -1.39077002573558,
            0.164295175223054,
            (-0.2876917446341914, 0.0488706064228094),
        ),
    ],
)
def test_paired_tests_are_those_of_proc(pair, z, p_value, interval):
    test = compare_areas(of_proc(*pair))
    assert (test.z, test.p_value) == pytest.approx((z, p_value), rel=1e-10)
    assert test.interval == pytest.approx(interval, rel=1e-10)


@pytest.mark.parametrize(
    ("pair", "statistic", "p_value"),
    [
        ((GRADE, S100B), 1.43490640926908, 0.152825378808796),
        ((GRADE, NDKA), 3.10125096778969, 0.00220950791756457),
        ((NDKA, S100B), -1.55995743389685, 0.120192832430845),
    ],
)
def test_unpaired_tests_by_student_and_welch_are_those_of_proc(pair, statistic, p_value):
    test = compare_areas(of_proc(pair[0]), of_proc(pair[1]))
    assert (test.z, test.p_value) == pytest.approx((statistic, p_value), rel=1e-10)
    assert test.degrees < 113 * 2


def test_the_plain_interval_is_that_of_proc():
    found = area_interval(PROC.areas[NDKA], PROC.covariance[NDKA, NDKA], scale="plain")
    assert found == pytest.approx((0.501244999271703, 0.722670989888189), rel=1e-12)


def test_scores_that_rank_all_cases_alike_do_not_differ():
    labels, first, _ = draw(5)
    test = compare_areas(roc_areas(labels, first, np.exp(first)))
    assert (test.difference, test.p_value) == (0, 1)
    assert all(map(math.isnan, test.interval))


@unhurried
@given(small_studies())
def test_swapped_labels_and_turned_scores_give_one_minus_the_area(study):
    labels, scores = study
    found = roc_areas(labels, scores, -scores)
    swapped = roc_areas(1 - labels, scores)
    assert found.areas[0] == pytest.approx(1 - found.areas[1], abs=1e-12)
    assert found.areas[0] == pytest.approx(1 - swapped.areas[0], abs=1e-12)
    assert swapped.covariance[0, 0] == pytest.approx(found.covariance[0, 0], abs=1e-12)
    assert found.covariance[0, 1] == pytest.approx(-found.covariance[0, 0], abs=1e-12)


@unhurried
@given(small_studies())
def test_only_the_ranks_count(study):
    labels, scores = study
    found = roc_areas(labels, scores, np.arctan(scores), 5 * scores - 3)
    np.testing.assert_allclose(found.areas, found.areas[0], atol=1e-12)
    np.testing.assert_allclose(found.covariance, found.covariance[0, 0], atol=1e-12)


def test_two_cases_of_a_class_are_the_fewest_and_a_million_are_not_too_many():
    assert roc_areas([0, 0, 1, 1], [1, 3, 2, 4]).covariance[0, 0] > 0
    rng = np.random.default_rng(0)
    labels = (rng.random(1_000_000) < 0.01).astype(int)
    found = roc_areas(labels, labels + rng.normal(size=labels.size))
    error = math.sqrt(found.covariance[0, 0])
    assert abs(found.areas[0] - norm.cdf(1 / math.sqrt(2))) < 4 * error < 0.02
