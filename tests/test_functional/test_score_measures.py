"""Measures of scores against other packages, and under weights against repetition."""

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score
from torchmetrics.functional.classification import binary_calibration_error

from golden import golden
from mammography.functional.brier import brier_score
from mammography.functional.calibration import calibration_line
from mammography.functional.calibration_error import expected_calibration_error
from mammography.functional.curve_areas import curve_areas
from mammography.functional.probabilistic_f1 import probabilistic_f_score
from mammography.functional.score_measures import BINS, MEASURES, measure_scores

LINE = ("calibration_slope", "calibration_intercept")


def cases(count=400, seed=0, share=0.2):
    """Labels, and scores that are neither sure nor calibrated."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < share).astype(float)
    return labels, expit(1.5 * labels - 1.0 + rng.normal(0, 1, count))


def test_ranking_and_squared_error_are_those_of_scikit_learn():
    labels, scores = cases()
    found = measure_scores(labels, scores, "roc_auc", "average_precision", "brier")
    assert found == pytest.approx(
        {
            "roc_auc": roc_auc_score(labels, scores),
            "average_precision": average_precision_score(labels, scores),
            "brier": brier_score_loss(labels, scores),
        }
    )


def test_the_line_of_calibration_is_that_of_statsmodels():
    labels, scores = cases(share=0.05)
    odds = logit(scores)
    family = sm.families.Binomial()
    line = sm.GLM(labels, sm.add_constant(odds), family=family).fit()
    shift = sm.GLM(labels, np.ones((len(labels), 1)), family=family, offset=odds).fit()
    found = measure_scores(labels, scores, *LINE)
    assert found["calibration_slope"] == pytest.approx(line.params[1], rel=1e-8)
    assert found["calibration_intercept"] == pytest.approx(shift.params[0], rel=1e-8)


def test_a_prior_that_was_shifted_shows_in_the_intercept_alone():
    odds = np.random.default_rng(1).normal(-2, 1.5, 200_000)
    labels = (np.random.default_rng(2).random(odds.size) < expit(odds)).astype(float)
    found = measure_scores(labels, expit(odds + np.log(49)), *LINE)
    assert found["calibration_slope"] == pytest.approx(1, abs=0.02)
    assert found["calibration_intercept"] == pytest.approx(-np.log(49), abs=0.02)


def test_the_calibration_error_is_that_of_torchmetrics():
    labels, scores = cases()
    theirs = binary_calibration_error(
        torch.tensor(scores), torch.tensor(labels).int(), n_bins=BINS, norm="l1"
    )
    assert measure_scores(labels, scores, "ece")["ece"] == pytest.approx(float(theirs), abs=1e-6)


def test_pf1_gives_the_reference_fractions():
    known = [case for case in golden("06b_pf1")["cases"] if case["pF1"] is not None]
    inside = [case for case in known if min(case["preds"]) >= 0 and max(case["preds"]) <= 1]
    assert len(inside) >= 4
    for case in inside:
        found = measure_scores(case["labels"], case["preds"], "pf1")["pf1"]
        assert found == pytest.approx(case["pF1"], abs=1e-12)


def test_pf1_of_calls_is_f1():
    labels, scores = cases()
    calls = (scores > 0.5).astype(float)
    assert measure_scores(labels, calls, "pf1")["pf1"] == pytest.approx(f1_score(labels, calls))


def test_without_weights_they_are_what_the_functions_of_their_own_give():
    labels, scores = cases(share=0.05)
    line = calibration_line(labels, scores)
    found = measure_scores(labels, scores, *MEASURES)
    assert found == pytest.approx(
        curve_areas(labels, scores)
        | {
            "pf1": probabilistic_f_score(labels, scores),
            "brier": brier_score(labels, scores).score.value,
            "ece": expected_calibration_error(labels, scores, bins=BINS),
            "calibration_slope": line.slope.value,
            "calibration_intercept": line.offset.value,
        }
    )


@pytest.mark.parametrize("name", MEASURES)
def test_a_weight_is_so_many_copies_of_the_case(name):
    labels, scores = cases(120)
    times = np.random.default_rng(3).integers(0, 4, (5, 120))
    copied = [
        measure_scores(np.repeat(labels, row), np.repeat(scores, row), name)[name] for row in times
    ]
    found = MEASURES[name](labels, scores)(times.astype(float))
    np.testing.assert_allclose(found, copied, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["roc_auc", "pf1", *LINE])
def test_what_one_class_does_not_define_is_not_a_number(name):
    labels, scores = cases(50)
    weights = np.stack([np.ones(50), 1.0 - labels])
    found = MEASURES[name](labels, scores)(weights)
    assert np.isfinite(found[0])
    assert np.isnan(found[1])


def test_cases_in_perfect_order_have_no_slope():
    found = measure_scores([0, 0, 0, 1, 1], [0.1, 0.2, 0.3, 0.6, 0.9], *LINE)
    assert np.isnan(found["calibration_slope"])
    assert np.isfinite(found["calibration_intercept"])


def test_equal_scores_have_no_slope():
    found = measure_scores([0, 1, 0, 1], [0.3] * 4, *LINE)
    assert np.isnan(found["calibration_slope"])
    assert found["calibration_intercept"] == pytest.approx(-logit(0.3))


def test_scores_of_exactly_0_and_1_are_finite():
    found = measure_scores([0, 0, 1, 1, 0], [0.0, 0.2, 0.1, 1.0, 1.0], *MEASURES)
    assert all(np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("name", ["pf1", "brier", "ece", *LINE])
def test_what_needs_probabilities_refuses_other_scores(name):
    with pytest.raises(ValueError, match=rf"{name}: scores must be probabilities .* -2 to 3"):
        measure_scores([0, 1], [-2.0, 3.0], name)
