import json
import math

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, fbeta_score, roc_curve
from torchmetrics.functional.classification import (
    binary_sensitivity_at_specificity,
    binary_specificity_at_sensitivity,
)

from mammography.functional.operating_points import (
    RULES,
    best_f_score,
    least_cost,
    operating_point,
    sensitivity_at_specificity,
    specificity_at_sensitivity,
    youden,
)
from mammography.functional.probabilistic_f1 import probabilistic_f_score

LABELS = [0, 0, 0, 0, 1, 1, 1]
SCORES = [0.1, 0.2, 0.4, 0.7, 0.4, 0.8, 0.9]
# Few different scores, so that there are ties.
studies = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


def split(rows):
    labels = np.array([row[0] for row in rows], int)
    assume(0 < labels.sum() < len(labels))
    return labels, np.array([row[1] / 8 for row in rows])


def every_point(labels, scores):
    return [operating_point(labels, scores, t) for t in [2.0, *np.unique(scores)]]


@settings(max_examples=60, deadline=None)
@given(studies, st.floats(-0.1, 1.1))
def test_calls_are_those_of_sklearn(rows, threshold):
    labels, scores = split(rows)
    point = operating_point(labels, scores, threshold)
    tn, fp, fn, tp = confusion_matrix(labels, scores >= threshold, labels=[0, 1]).ravel()
    assert (point.tp, point.fp, point.tn, point.fn) == (tp, fp, tn, fn)
    assert point.f1 == pytest.approx(f1_score(labels, scores >= threshold, zero_division=0.0))
    assert point.recall_rate == pytest.approx((scores >= threshold).mean())
    assert point.detection_rate == pytest.approx((labels * (scores >= threshold)).mean())


@settings(max_examples=60, deadline=None)
@given(studies, st.sampled_from([0.0, 0.5, 0.8, 0.9, 1.0]))
def test_the_best_attainable_value_is_that_of_torchmetrics_and_of_brute_force(rows, at_least):
    labels, scores = split(rows)
    tensors = torch.tensor(scores), torch.tensor(labels)
    high = sensitivity_at_specificity(labels, scores, at_least)
    theirs, _ = binary_sensitivity_at_specificity(*tensors, at_least)
    assert high.sensitivity == pytest.approx(float(theirs))
    all_points = every_point(labels, scores)
    allowed = [p for p in all_points if p.specificity >= at_least]
    assert high.sensitivity == max(p.sensitivity for p in allowed)
    assert high.specificity == max(
        p.specificity for p in allowed if p.sensitivity == high.sensitivity
    )
    other = specificity_at_sensitivity(labels, scores, at_least)
    theirs, _ = binary_specificity_at_sensitivity(*tensors, at_least)
    assert other.specificity == pytest.approx(float(theirs))
    assert other.specificity == max(p.specificity for p in all_points if p.sensitivity >= at_least)


@settings(max_examples=60, deadline=None)
@given(studies)
def test_youden_is_the_point_farthest_above_the_diagonal_of_sklearns_curve(rows):
    labels, scores = split(rows)
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    point = youden(labels, scores)
    assert point.sensitivity + point.specificity - 1 == pytest.approx((tpr - fpr).max())
    chosen = thresholds[np.argmax(np.round(tpr - fpr, 12))]
    assert math.isinf(chosen) or point.threshold == pytest.approx(chosen)


def test_of_equal_points_youden_takes_the_one_that_calls_the_fewest():
    labels, scores = [0] * 5 + [1] * 5, [0, 0, 0, 0, 1, 0, 0, 0, 1, 2]
    # Both points lie 0.2 above the diagonal; as sums of floats one of them is a rounding higher.
    assert youden(labels, scores).threshold == 2


@settings(max_examples=60, deadline=None)
@given(studies, st.sampled_from([0.2, 1, 10]), st.sampled_from([None, 0.01, 0.5]))
def test_no_other_threshold_costs_less(rows, ratio, prevalence):
    labels, scores = split(rows)
    share = labels.mean() if prevalence is None else prevalence

    def cost(p):
        return ratio * share * (1 - p.sensitivity) + (1 - share) * (1 - p.specificity)

    best = min(map(cost, every_point(labels, scores)))
    assert cost(least_cost(labels, scores, ratio, prevalence)) == pytest.approx(best, abs=1e-12)


def test_of_calibrated_probabilities_the_least_cost_is_at_one_over_one_plus_the_ratio():
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    labels = (rng.random(200_000) < p).astype(int)
    assert least_cost(labels, p, cost_ratio=4).threshold == pytest.approx(0.2, abs=0.02)


@settings(max_examples=60, deadline=None)
@given(studies, st.sampled_from([1, 2]))
def test_the_best_f_score_is_that_of_sklearn_and_no_less_than_the_probabilistic_one(rows, beta):
    labels, scores = split(rows)
    point = best_f_score(labels, scores, beta)
    best = max(
        fbeta_score(labels, scores >= t, beta=beta, zero_division=0.0) for t in np.unique(scores)
    )
    calls = scores >= point.threshold
    assert fbeta_score(labels, calls, beta=beta, zero_division=0.0) == pytest.approx(best)
    assert probabilistic_f_score(labels, calls, beta) == pytest.approx(best)
    assert best >= probabilistic_f_score(labels, scores, beta) - 1e-12


def test_of_equal_points_the_one_that_calls_the_fewest_is_taken():
    point = youden([0, 1, 0, 1], [0.2, 0.2, 0.6, 0.6])  # every point lies on the diagonal
    assert (point.tp, point.fp) == (0, 0)


@pytest.mark.parametrize("name", RULES)
def test_a_chosen_threshold_gives_its_point_again_after_json(name):
    options = {
        "sensitivity_at_specificity": {"at_least": 1.0},
        "specificity_at_sensitivity": {"at_least": 0.5},
        "least_cost": {"cost_ratio": 3},
    }
    for labels in (LABELS, [1, 0, 0, 0, 0, 0, 0]):
        point = RULES[name](labels, SCORES, **options.get(name, {}))
        threshold = json.loads(json.dumps(point.threshold, allow_nan=False))
        assert operating_point(labels, SCORES, threshold) == point


def test_shares_of_nothing_are_not_defined():
    point = operating_point([0, 0], [0.1, 0.2], 0.5)
    assert math.isnan(point.sensitivity)
    assert math.isnan(point.ppv)
    assert point.specificity == point.npv == 1
    assert set(point.to_json()) >= {"threshold", "tp", "sensitivity", "recall_rate", "f1"}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: youden([0, 0], [0.1, 0.2]), r"labels of both classes to be chosen by, got 2 ca"),
        (lambda: youden([0, 2], [0.1, 0.2]), "labels must be 0 or 1"),
        (lambda: youden([0, 1], [0.1, math.inf]), "and 1 that are not finite"),
        (lambda: youden([0], [0.1, 0.2]), r"one shape .* got \(1,\) and \(2,\)"),
        (lambda: operating_point([0], [0.1], math.nan), "threshold must be a number, got nan"),
        (lambda: sensitivity_at_specificity(LABELS, SCORES, 1.1), r"lie in \[0, 1\], got 1.1"),
        (lambda: specificity_at_sensitivity(LABELS, SCORES, -1), r"lie in \[0, 1\], got -1"),
        (lambda: least_cost(LABELS, SCORES, 0), "cost_ratio must be above 0, got 0"),
        (lambda: least_cost(LABELS, SCORES, 1, 1.0), r"prevalence must lie in \(0, 1\), got 1"),
        (lambda: best_f_score(LABELS, SCORES, 0), "beta must be above 0, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
