"""Predictive values at another prevalence: statsmodels' ratio of shares, patients, zeros."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from statsmodels.stats.proportion import confint_proportions_2indep

from binary_studies import unhurried
from mammography.functional.predictive_values import predictive_values


def cases(tp, fn, fp, tn):
    return np.repeat([1, 1, 0, 0], [tp, fn, fp, tn]), np.repeat([1, 0, 1, 0], [tp, fn, fp, tn])


@unhurried
@given(*[st.integers(1, 60)] * 4, st.floats(0.001, 0.6), st.sampled_from([0.8, 0.95]))
def test_odds_after_a_call_are_odds_before_times_the_likelihood_ratio(
    tp, fn, fp, tn, prevalence, level
):
    found = predictive_values(*cases(tp, fn, fp, tn), prevalence, level=level)
    for value, counts, before in (
        (found.ppv, (tp, tp + fn, fp, fp + tn), prevalence),
        (found.npv, (tn, fp + tn, fn, tp + fn), 1 - prevalence),
    ):
        ratios = confint_proportions_2indep(*counts, compare="ratio", method="log", alpha=1 - level)
        theirs = expit(logit(before) + np.log(ratios))
        assert value.interval == pytest.approx(tuple(theirs), rel=1e-9)
        ratio = counts[0] / counts[1] / (counts[2] / counts[3])
        assert value.value == pytest.approx(expit(logit(before) + math.log(ratio)))


def test_at_the_share_of_the_study_they_are_those_of_the_study():
    found = predictive_values(*cases(40, 10, 30, 120), 50 / 200)
    assert (found.ppv.value, found.npv.value) == pytest.approx((40 / 70, 120 / 130))


def test_swapped_labels_and_calls_swap_both():
    labels, called = cases(40, 10, 30, 120)
    patients = np.arange(labels.size) // 3
    found = predictive_values(labels, called, 0.02, patients)
    swapped = predictive_values(1 - labels, 1 - called, 0.98, patients)
    assert swapped.npv.value == pytest.approx(found.ppv.value)
    once = predictive_values(labels, called, 0.02)
    turned = predictive_values(1 - labels, 1 - called, 0.98)
    assert turned.npv.interval == pytest.approx(once.ppv.interval)


def test_copies_of_a_case_count_for_nothing():
    labels, called = cases(40, 10, 30, 120)
    once = predictive_values(labels, called, 0.01)
    four = [np.repeat(column, 4) for column in (labels, called)]
    copied = predictive_values(*four, 0.01, np.repeat(np.arange(200), 4))
    taken_for_new = predictive_values(*four, 0.01)
    assert copied.ppv.interval == pytest.approx(once.ppv.interval, rel=0.02)
    assert np.diff(taken_for_new.ppv.interval) < 0.6 * np.diff(copied.ppv.interval)


def test_names_of_patients_who_have_one_case_each_change_nothing():
    labels, called = cases(40, 10, 30, 120)
    named = predictive_values(labels, called, 0.01, [f"p{index}" for index in range(200)])
    assert named == predictive_values(labels, called, 0.01)


@pytest.mark.parametrize("counts", [(50, 0, 10, 90), (0, 50, 10, 90), (40, 10, 0, 100)])
def test_a_class_that_is_called_all_alike_still_has_an_interval(counts):
    found = predictive_values(*cases(*counts), 0.01)
    for value in (found.ppv, found.npv):
        low, high = value.interval
        assert 0 < low < value.value < high < 1


def test_it_covers_the_truth_where_the_interval_of_the_study_is_too_wide():
    rng = np.random.default_rng(0)
    truth, inside = 0.05 * 0.8 / (0.05 * 0.8 + 0.95 * 0.1), []
    for _ in range(1000):
        tp, fp = rng.binomial(40, 0.8), rng.binomial(60, 0.1)
        low, high = predictive_values(*cases(tp, 40 - tp, fp, 60 - fp), 0.05).ppv.interval
        inside.append(low <= truth <= high)
    assert 0.93 <= np.mean(inside) <= 0.97


@pytest.mark.parametrize(
    ("labels", "called", "prevalence", "patients", "rule"),
    [
        ([0, 1, 0, 1], [0, 1, 0, 0.5], 0.1, None, "calls must be 0 or 1"),
        ([0, 1, 0, 1], [[0, 1, 0, 1]] * 2, 0.1, None, "one per case"),
        ([0, 1, 0, 1], [0, 1, 0, 1], 0, None, "prevalence must lie between 0 and 1, got 0"),
        ([0, 1, 0, 1], [0, 1, 0, 1], 0.1, [0, 1, 2, 1], "got 1 with positive and 2"),
        ([0, 2, 0, 1], [0, 1, 0, 1], 0.1, None, "labels must be 0 or 1"),
    ],
)
def test_what_has_no_predictive_value_is_refused(labels, called, prevalence, patients, rule):
    with pytest.raises(ValueError, match=rule):
        predictive_values(labels, called, prevalence, patients)
