"""Counts above thresholds stand for all cases."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from mammography.reports.evidence.counts import count_above, grouped_counts, threshold_grid


def cumulated(steps):
    return steps[0] - np.concatenate([[0], np.cumsum(steps[1:])])


def test_while_scores_are_few_every_one_is_a_threshold(study):
    grid = threshold_grid(study)
    assert (np.diff(grid) > 0).all()
    scores = np.concatenate([model.scores for model in study.models])
    assert set(scores) <= set(grid)
    assert count_above(scores, grid[-1:]) == [0]


def test_many_scores_are_thinned_and_the_stated_thresholds_stay(study):
    grid = threshold_grid(study, also=[0.123456], most=60)
    assert len(grid) < 60 + 4 + 99 + 5
    assert {0.1, 0.2, 0.123456, 0.01, 0.99} <= set(grid.tolist())


@pytest.mark.parametrize("most", [60, 5000])
def test_the_counts_of_every_group_are_those_of_scikit_learn(study, most):
    grid = threshold_grid(study, most=most)
    told = {group["name"]: group for group in grouped_counts(study, grid)}
    (vendor,) = (one for one in study.attributes if one.title == "vendor")
    chosen = {"all cases": np.ones(study.n, bool), "vendor: GE": np.array(vendor.values) == "GE"}
    for name, cases in chosen.items():
        for number, model in enumerate(study.models):
            tp, fp = (cumulated(told[name][side][number]) for side in ("tp", "fp"))
            for at in range(0, len(grid), 23):
                called = model.scores[cases] >= grid[at]
                expected = confusion_matrix(study.labels[cases] == 1, called, labels=[False, True])
                assert (fp[at], tp[at]) == (expected[0, 1], expected[1, 1])
        assert told[name]["n1"] == study.labels[cases].sum()
