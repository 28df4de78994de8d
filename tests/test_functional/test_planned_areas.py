"""Variances that are planned with against those of simulated studies and of chance."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from mammography.functional.planned_areas import planned_areas, planned_variance


def simulated_variance(area, positives, negatives, studies=4000):
    """Of the Mann-Whitney statistic of normal scores."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(studies, positives + negatives))
    scores[:, :positives] += math.sqrt(2) * norm.ppf(area)
    ranks = scores.argsort(axis=1).argsort(axis=1)[:, :positives].sum(axis=1)
    wins = ranks - positives * (positives - 1) / 2
    return np.var(wins / (positives * negatives))


@pytest.mark.parametrize(("area", "times"), [(0.6, 0.96), (0.75, 1.2), (0.9, 1.7)])
def test_continuous_scores_vary_as_planned_and_ratings_more_at_high_areas(area, times):
    simulated = simulated_variance(area, 60, 120)
    assert planned_variance(area, 60, 120) == pytest.approx(simulated, rel=0.06)
    ratings = planned_variance(area, 60, 120, "ratings")
    assert ratings / simulated == pytest.approx(times, abs=0.1)


def test_chance_has_the_variance_of_mann_and_whitney_with_many_cases():
    exact = (3000 + 2000 + 1) / (12 * 3000 * 2000)
    assert planned_variance(0.5, 3000, 2000) == pytest.approx(exact, rel=1e-3)


def test_turned_scores_swap_the_classes():
    one, other = planned_variance(0.8, 50, 90), planned_variance(0.2, 90, 50)
    assert one == pytest.approx(other, rel=1e-9)


def test_two_areas_vary_together_as_their_correlation_says():
    plan = planned_areas(0.7, 0.8, 0.4, 100, 200)
    errors = np.sqrt(np.diag(plan.covariance))
    assert plan.covariance[0, 1] == pytest.approx(0.4 * errors[0] * errors[1])
    assert plan.covariance[1, 1] == pytest.approx(planned_variance(0.8, 100, 200))
    assert plan.areas.tolist() == [0.7, 0.8]


def test_impossible_plans_are_refused():
    with pytest.raises(ValueError, match="area must lie between 0 and 1"):
        planned_variance(1.0, 10, 10)
    with pytest.raises(ValueError, match="both classes have cases"):
        planned_variance(0.8, 0, 10)
    with pytest.raises(ValueError, match="kind must be one of continuous, ratings"):
        planned_variance(0.8, 10, 10, "words")
    with pytest.raises(ValueError, match="correlation must lie"):
        planned_areas(0.7, 0.8, 1.2, 10, 10)
