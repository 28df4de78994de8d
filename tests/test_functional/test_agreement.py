"""Weighted kappa against scikit-learn, a published table, and resampled cases."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

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
def test_the_standard_error_is_that_of_resampled_cases(weights):
    table = [[60, 12, 2, 0], [9, 80, 20, 3], [1, 15, 70, 12], [0, 2, 9, 55]]
    first, second = from_table(table)
    found = weighted_kappa(first, second, weights)
    rng = np.random.default_rng(0)
    draws = rng.integers(first.size, size=(800, first.size))
    values = [cohen_kappa_score(first[d], second[d], weights=WEIGHTS[weights]) for d in draws]
    assert np.diff(found.interval)[0] / (2 * 1.96) == pytest.approx(np.std(values), rel=0.08)


def test_agreement_in_all_but_one_and_the_same_class():
    assert weighted_kappa([0, 1, 2], [0, 1, 2]).value == 1
    assert math.isnan(weighted_kappa([2, 2], [2, 2]).value)


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
