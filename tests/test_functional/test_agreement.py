"""Weighted kappa against scikit-learn, cases left out one by one, and resampled cases."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import t
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import cohens_kappa

from binary_studies import unhurried
from mammography.functional.agreement import weighted_kappa

WEIGHTS = {"none": None, "linear": "linear", "quadratic": "quadratic"}


def from_table(table):
    """Classes of two readers whose joint counts are a table."""
    first, second = np.indices(np.shape(table))
    counts = np.ravel(table)
    return np.repeat(first.ravel(), counts), np.repeat(second.ravel(), counts)


classes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60)


@unhurried
@given(classes, st.sampled_from(list(WEIGHTS)))
def test_kappa_is_that_of_scikit_learn_and_the_readers_may_be_swapped(pairs, weights):
    first, second = np.array(pairs).T
    assume(np.unique([first, second]).size > 1)
    found = weighted_kappa(first, second, weights)
    labels = np.arange(5)
    theirs = cohen_kappa_score(first, second, weights=WEIGHTS[weights], labels=labels)
    assert found.value == pytest.approx(theirs, abs=1e-12)
    swapped = weighted_kappa(second, first, weights)
    assert found.interval == pytest.approx(swapped.interval, nan_ok=True)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("other", [[0, 0, 1, 1, 4], [0, 1, 2, 3, 4], [1, 1, 1, 1, 0]])
def test_a_reader_who_gives_all_cases_one_class_has_no_interval(other, weights):
    constant = [1] * 5
    for pair in ((constant, other), (other, constant)):
        found = weighted_kappa(*pair, weights)
        assert found.value == pytest.approx(0, abs=1e-12)
        assert np.isnan(found.interval).all()


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("images", [1, 3])
def test_the_interval_is_that_of_cases_or_patients_left_out_one_by_one(weights, images):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, 42)
    second = np.clip(first + rng.integers(-1, 2, 42), 0, 3)
    patients = np.arange(42) // images
    left = [
        cohen_kappa_score(first[p != patients], second[p != patients], weights=WEIGHTS[weights])
        for p in range(patients.max() + 1)
    ]
    count = len(left)
    value = cohen_kappa_score(first, second, weights=WEIGHTS[weights])
    error = np.sqrt((count - 1) * np.var(left)) / (1 - value**2)
    reach = t.ppf(0.975, count - 1) * error
    theirs = np.tanh(np.arctanh(value) + np.array([-reach, reach]))
    named = None if images == 1 else [f"p{p}" for p in patients]
    found = weighted_kappa(first, second, weights, patients=named)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.interval == pytest.approx(tuple(theirs), rel=1e-9)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_for_many_cases_the_standard_error_is_that_of_fleiss_in_statsmodels(weights):
    table = [[60, 12, 2, 0], [9, 80, 20, 3], [1, 15, 70, 12], [0, 2, 9, 55]]
    found = weighted_kappa(*from_table(table), weights)
    theirs = cohens_kappa(np.array(table), wt=WEIGHTS[weights])
    assert found.value == pytest.approx(theirs.kappa, abs=1e-12)
    low, high = np.arctanh(found.interval)
    error = (high - low) / 2 / t.ppf(0.975, np.sum(table) - 1) * (1 - found.value**2)
    assert error == pytest.approx(theirs.var_kappa**0.5, rel=0.02)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_copies_of_a_case_count_for_nothing(weights):
    first, second = from_table([[8, 2, 0], [1, 9, 3], [0, 2, 7]])
    once = weighted_kappa(first, second, weights)
    twice = [np.repeat(part, 2) for part in (first, second, np.arange(first.size))]
    copied = weighted_kappa(*twice[:2], weights, patients=twice[2])
    assert copied.interval == pytest.approx(once.interval, rel=1e-9)
    taken_for_new = weighted_kappa(*twice[:2], weights)
    assert np.diff(taken_for_new.interval) < 0.8 * np.diff(once.interval)


def test_agreement_in_all_cases_and_in_one_and_the_same_class():
    found = weighted_kappa([0, 1, 2], [0, 1, 2])
    assert found.value == 1
    assert np.isnan(found.interval).all()
    assert math.isnan(weighted_kappa([2, 2], [2, 2]).value)


def test_one_case_or_one_patient_has_no_interval():
    assert np.isnan(weighted_kappa([0], [1]).interval).all()
    found = weighted_kappa([0, 1, 2, 0], [0, 1, 1, 0], patients=["a"] * 4)
    assert 0 < found.value < 1
    assert np.isnan(found.interval).all()


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        ([0, 1], [0], "as many"),
        ([0, 1.5], [0, 1], "whole numbers"),
        ([0, np.nan], [0, 1], "whole numbers"),
        ([0, -1], [0, 1], "whole numbers"),
    ],
)
def test_what_is_no_class_is_refused(first, second, rule):
    with pytest.raises(ValueError, match=rule):
        weighted_kappa(first, second)


def test_unknown_weights_are_refused():
    with pytest.raises(ValueError, match="weights must be 'none'"):
        weighted_kappa([0, 1], [0, 1], "cubic")
