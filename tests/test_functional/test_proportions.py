"""Intervals of shares against statsmodels and scipy."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint

from binary_studies import unhurried
from mammography.functional.proportions import (
    clustered_proportion,
    proportion,
    proportion_intervals,
)

METHODS = {"wilson": ("wilson", "wilson"), "clopper_pearson": ("beta", "exact")}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_intervals_are_those_of_statsmodels_and_of_scipy(method, level):
    of_statsmodels, of_scipy = METHODS[method]
    successes, trials = np.array([0, 1, 3, 9, 10, 500_000]), np.array([10] * 5 + [1_000_000])
    found = proportion_intervals(successes, trials, level, method)
    for row, (x, n) in enumerate(zip(successes, trials, strict=True)):
        theirs = binomtest(int(x), int(n)).proportion_ci(level, of_scipy)
        np.testing.assert_allclose(found[row], theirs, atol=1e-12)
        theirs = proportion_confint(int(x), int(n), 1 - level, of_statsmodels)
        np.testing.assert_allclose(found[row], theirs, atol=1e-12)


@unhurried
@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from(list(METHODS)))
def test_intervals_hold_the_share_lie_in_order_and_turn_with_it(successes, trials, method):
    successes = min(successes, trials)
    found = proportion(successes, trials, method=method)
    turned = proportion(trials - successes, trials, method=method)
    low, high = found.interval
    assert 0 <= low <= found.value <= high <= 1
    np.testing.assert_allclose(turned.interval, (1 - high, 1 - low), atol=1e-12)


@pytest.mark.parametrize("trials", [5, 20, 100])
def test_one_covers_at_least_and_the_other_on_average_as_often_as_it_says(trials):
    truths, counts = np.linspace(0.01, 0.99, 197)[:, None], np.arange(trials + 1)
    chances = binom.pmf(counts, trials, truths)
    covered = {}
    for method in METHODS:
        low, high = proportion_intervals(counts, trials, 0.95, method).T
        covered[method] = (chances * ((low <= truths) & (truths <= high))).sum(axis=1)
    assert covered["clopper_pearson"].min() >= 0.95
    assert covered["wilson"].mean() == pytest.approx(0.95, abs=0.01)


def test_no_trial_gives_no_share():
    found = proportion(0, 0)
    assert math.isnan(found.value)
    assert all(map(math.isnan, found.interval))
    assert np.isnan(proportion_intervals(0, [0, 0], method="clopper_pearson")).all()


def test_the_variance_between_patients_is_the_robust_one_of_statsmodels():
    rng = np.random.default_rng(0)
    patients = np.sort(rng.integers(0, 40, 200))
    luck = rng.random(40)
    success = (rng.random(200) < luck[patients]).astype(float)
    of, found = np.bincount(patients), np.bincount(patients, weights=success)
    of, found = of[of > 0], found[of > 0]
    estimate = clustered_proportion(found, of)
    fit = sm.OLS(success, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": patients})
    effective = 200 / 199 * estimate.value * (1 - estimate.value) / fit.bse[0] ** 2
    theirs = proportion_confint(estimate.value * effective, effective, method="wilson")
    assert estimate.value == pytest.approx(success.mean())
    assert estimate.interval == pytest.approx(theirs, rel=1e-9)
    assert np.diff(estimate.interval) > 1.3 * np.diff(proportion(success.sum(), 200).interval)


def test_with_one_case_a_patient_it_is_wilson():
    found = clustered_proportion([1] * 30 + [0] * 20, [1] * 50)
    assert found.interval == pytest.approx(proportion(30, 50).interval, rel=1e-12)


def test_where_all_succeed_each_patient_counts_for_one():
    assert clustered_proportion([4] * 10, [4] * 10).interval == proportion(10, 10).interval


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 2), (np.nan, 2), (1, np.inf)])
def test_what_is_no_share_is_refused(successes, trials):
    with pytest.raises(ValueError, match="must lie between 0 and trials"):
        proportion_intervals(successes, trials)


def test_other_errors_name_what_they_expect():
    with pytest.raises(ValueError, match="method must be"):
        proportion_intervals(1, 2, method="wald")
    with pytest.raises(ValueError, match="at least 2 patients must have a trial, got 1"):
        clustered_proportion([1, 0], [2, 0])
    with pytest.raises(ValueError, match="must lie between 0 and trials"):
        clustered_proportion([3, 0], [2, 2])
