"""NRI and IDI against their definitions, and the traps that their docstrings name."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import recall_score, roc_auc_score

from binary_studies import draw_forecasts, unhurried
from mammography.functional.reclassification import (
    discrimination_improvement,
    net_reclassification,
)


def old_and_new(seed=0, cases=200):
    labels, old = draw_forecasts(seed, cases)
    noise = np.random.default_rng(seed + 100).normal(0.4 * (2 * labels - 1), 0.7)
    log_odds = np.log(old / (1 - old)) + noise
    return labels, old, 1 / (1 + np.exp(-log_odds))


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_with_a_threshold_it_is_the_gain_in_sensitivity_and_in_specificity(threshold):
    labels, old, new = old_and_new()
    found = net_reclassification(labels, old, new, threshold)
    calls = [chances >= threshold for chances in (old, new)]
    gains = [recall_score(labels, c) for c in calls], [recall_score(1 - labels, ~c) for c in calls]
    assert found.events.value == pytest.approx(gains[0][1] - gains[0][0])
    assert found.nonevents.value == pytest.approx(gains[1][1] - gains[1][0])
    assert found.total.value == pytest.approx(found.events.value + found.nonevents.value)


def test_without_one_every_case_that_moves_counts():
    labels, old = np.array([1, 1, 1, 0, 0]), np.array([0.5, 0.5, 0.5, 0.5, 0.5])
    found = net_reclassification(labels, old, [0.6, 0.51, 0.4, 0.49, 0.5])
    assert found.events.value == pytest.approx(1 / 3)
    assert found.nonevents.value == pytest.approx(1 / 2)


@unhurried
@given(st.integers(0, 1000))
def test_swapped_labels_and_turned_probabilities_swap_the_parts_and_swapped_models_turn_them(seed):
    labels, old, new = old_and_new(seed, 60)
    for improvement in (net_reclassification, discrimination_improvement):
        found = improvement(labels, old, new)
        other = improvement(1 - labels, 1 - old, 1 - new)
        assert found.events.value == pytest.approx(other.nonevents.value)
        assert found.total.interval == pytest.approx(other.total.interval)
        turned = improvement(labels, new, old)
        assert turned.total.value == pytest.approx(-found.total.value)


def test_the_idi_is_the_gain_in_the_difference_of_means_and_its_interval_that_of_two_means():
    labels, old, new = old_and_new(1)
    found = discrimination_improvement(labels, old, new)
    slopes = [c[labels == 1].mean() - c[labels == 0].mean() for c in (old, new)]
    assert found.total.value == pytest.approx(slopes[1] - slopes[0])
    moves = [sm.stats.DescrStatsW((new - old)[labels == k]) for k in (1, 0)]
    interval = sm.stats.CompareMeans(*moves).zconfint_diff(usevar="unequal")
    assert found.total.interval == pytest.approx(interval)


def test_the_spread_over_many_studies_is_the_one_that_intervals_state():
    for improvement in (net_reclassification, discrimination_improvement):
        found = [improvement(*old_and_new(seed)).total for seed in range(300)]
        spread = np.std([one.value for one in found])
        stated = np.mean([np.diff(one.interval)[0] for one in found]) / (2 * 1.96)
        assert stated == pytest.approx(spread, rel=0.1)


def test_bad_calibration_alone_changes_both_although_no_rank_does():
    # The trap of both indices: the very same ranks, worse probabilities, an improvement.
    labels, old = draw_forecasts(3, cases=5000)
    extreme = 1 / (1 + ((1 - old) / old) ** 2)
    assert roc_auc_score(labels, old) == roc_auc_score(labels, extreme)
    assert discrimination_improvement(labels, old, extreme).total.interval[0] > 0.05
    assert net_reclassification(labels, old, extreme).total.interval[0] > 0.05


def test_models_that_agree_move_nobody():
    labels, old, _ = old_and_new()
    found = net_reclassification(labels, old, old)
    assert (found.total.value, found.total.interval) == (0, (0, 0))


def test_what_is_no_study_is_refused():
    for improvement in (net_reclassification, discrimination_improvement):
        with pytest.raises(ValueError, match="at least 1 cases"):
            improvement([0, 0], [0.1, 0.2], [0.1, 0.3])
        with pytest.raises(ValueError, match="scores finite"):
            improvement([0, 1], [0.1, np.nan], [0.1, 0.3])
