"""Slope, intercept and offset against statsmodels, golden values and what was planted."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import binom

from binary_studies import draw_forecasts, unhurried
from golden import golden
from mammography.functional.calibration import (
    SMALLEST_PROBABILITY,
    calibration_line,
    spiegelhalter,
)


def of_statsmodels(labels, probabilities, groups=None):
    """Slope, intercept and offset with their 95 % intervals."""
    x = logit(probabilities)
    options = {"disp": False}
    if groups is not None:
        options |= {"cov_type": "cluster", "cov_kwds": {"groups": groups}}
    line = sm.Logit(labels, sm.add_constant(x)).fit(**options)
    family = sm.families.Binomial()
    options.pop("disp")
    offset = sm.GLM(labels, np.ones_like(x), family=family, offset=x).fit(**options)
    return (
        [line.params[1], *line.conf_int()[1]],
        [line.params[0], *line.conf_int()[0]],
        [offset.params[0], *offset.conf_int()[0]],
    )


def numbers(estimate):
    return [estimate.value, *estimate.interval]


def test_the_line_is_that_of_the_reference_values():
    case = golden("04_uncertainty")["expected"]["calibration"]
    found = calibration_line(case["y"], case["p"])
    assert found.slope.value == pytest.approx(case["statsmodels_slope"], rel=1e-6)
    assert found.intercept.value == pytest.approx(case["statsmodels_intercept_joint"], rel=1e-6)
    expected = case["statsmodels_calibration_in_the_large"]
    assert found.offset.value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_values_and_intervals_are_those_of_statsmodels(seed):
    labels, chances = draw_forecasts(seed, slope=0.6, offset=0.5)
    found = calibration_line(labels, chances)
    expected = of_statsmodels(labels, chances)
    for ours, theirs in zip((found.slope, found.intercept, found.offset), expected, strict=True):
        np.testing.assert_allclose(numbers(ours), theirs, rtol=1e-6, atol=1e-8)


def test_intervals_between_patients_are_the_robust_ones_of_statsmodels():
    labels, chances = draw_forecasts(1, slope=0.6)
    patients = np.arange(300) // 4
    found = calibration_line(labels, chances, patients)
    expected = of_statsmodels(labels, chances, patients)
    # Theirs are corrected by (N - 1) / (N - K) as well; ours by G / (G - 1) alone, as Stata's.
    for ours, theirs, columns in zip(
        (found.slope, found.intercept, found.offset), expected, (2, 2, 1), strict=True
    ):
        width = np.diff(theirs[1:]) * math.sqrt((300 - columns) / 299)
        np.testing.assert_allclose(np.diff(ours.interval), width, rtol=1e-6)


def test_what_was_planted_is_found_inside_the_intervals():
    labels, chances = draw_forecasts(5, cases=20_000, slope=0.5, offset=0.8)
    found = calibration_line(labels, chances)
    # The probabilities are of (true log odds - 0.8) / 0.5.
    assert found.slope.interval[0] < 0.5 < found.slope.interval[1]
    assert found.intercept.interval[0] < 0.8 < found.intercept.interval[1]
    assert found.slope.interval[1] - found.slope.interval[0] < 0.05


def test_swapped_labels_turn_the_intercept_and_keep_the_slope():
    labels, chances = draw_forecasts(2)
    one, other = calibration_line(labels, chances), calibration_line(1 - labels, 1 - chances)
    assert one.slope.value == pytest.approx(other.slope.value)
    assert one.intercept.value == pytest.approx(-other.intercept.value)
    assert one.offset.value == pytest.approx(-other.offset.value)


def test_with_the_right_probabilities_the_tests_reject_as_often_as_they_say():
    p_values, covered = [], []
    for seed in range(300):
        labels, chances = draw_forecasts(seed, cases=200)
        p_values.append(spiegelhalter(labels, chances).p_value)
        low, high = calibration_line(labels, chances).offset.interval
        covered.append(low <= 0 <= high)
    low, high = binom.ppf([0.001, 0.999], 300, 0.05) / 300
    assert low <= np.mean(np.array(p_values) < 0.05) <= high
    assert low <= 1 - np.mean(covered) <= high


def test_spiegelhalter_is_the_deviation_of_the_brier_score_per_its_standard_error():
    # All outcomes of five cases, each as likely as the probabilities say.
    chances = np.array([0.1, 0.3, 0.45, 0.7, 0.95])
    outcomes = (np.arange(32)[:, None] >> np.arange(5)) & 1
    likely = np.where(outcomes, chances, 1 - chances).prod(axis=1)
    scores = ((outcomes - chances) ** 2).mean(axis=1)
    mean = likely @ scores
    error = math.sqrt(likely @ (scores - mean) ** 2)
    for outcome, score in zip(outcomes, scores, strict=True):
        assert spiegelhalter(outcome, chances).z == pytest.approx((score - mean) / error)


def test_what_the_labels_do_not_define_is_not_a_number():
    alike = calibration_line([0, 0, 0], [0.1, 0.2, 0.3])
    assert math.isnan(alike.offset.value)
    apart = calibration_line([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4])
    assert math.isnan(apart.slope.value)
    shifted = expit(logit([0.1, 0.2, 0.3, 0.4]) + apart.offset.value)
    assert shifted.sum() == pytest.approx(2)  # As many as are of class 1.
    same = calibration_line([0, 1, 1], [0.5, 0.5, 0.5])
    assert math.isnan(same.slope.value)
    assert same.offset.value == pytest.approx(math.log(2))
    assert math.isnan(spiegelhalter([0, 1], [0.0, 1.0]).z)


def test_probabilities_of_zero_and_one_are_cut_and_a_million_cases_are_not_too_many():
    found = calibration_line([0, 1, 0, 1], [0.0, 1.0, 0.6, 0.4])
    assert 0 < found.slope.value < 1
    labels, chances = draw_forecasts(0, cases=1_000_000)
    assert calibration_line(labels, chances).slope.value == pytest.approx(1, abs=0.02)


@unhurried
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=2, max_size=30))
def test_the_fits_balance_whatever_the_probabilities(cases):
    labels = np.array([case[0] for case in cases]).astype(int)
    chances = np.array([case[1] for case in cases]) / 20
    x = logit(chances.clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    found = calibration_line(labels, chances)
    if not math.isnan(found.offset.value):
        excess = labels - expit(x + found.offset.value)
        assert excess.sum() == pytest.approx(0, abs=1e-6)
    if not math.isnan(found.slope.value):
        excess = labels - expit(found.intercept.value + found.slope.value * x)
        assert [excess.sum(), excess @ x] == pytest.approx([0, 0], abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "chances", "rule"),
    [
        ([0, 1], [0.1, 1.2], "must lie between 0 and 1, got 1.2"),
        ([0, 1], [0.1, np.nan], "scores finite"),
        ([0, 1], [0.1], "as many"),
        ([], [], "as many"),
    ],
)
def test_what_is_no_probability_is_refused(labels, chances, rule):
    with pytest.raises(ValueError, match=rule):
        calibration_line(labels, chances)
    with pytest.raises(ValueError, match=rule):
        spiegelhalter(labels, chances)
