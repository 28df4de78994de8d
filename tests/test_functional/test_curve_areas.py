"""Areas under curves of weighted cases, against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from mammography.functional.curve_areas import AREAS, Ranking, curve_areas


def draw(seed=0, n=200, digits=8, rate=0.2):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < rate).astype(int)
    return labels, (labels + rng.normal(size=n)).round(digits), rng.integers(0, 4, n)


def by_sklearn(labels, scores, weights):
    # Cases without weight are taken out: scikit-learn gives them a precision of 0.
    labels, scores = (np.repeat(values, weights) for values in (labels, scores))
    precision, recall, _ = precision_recall_curve(labels, scores)
    return {
        "roc_auc": roc_auc_score(labels, scores),
        "pr_auc": auc(recall, precision),
        "average_precision": average_precision_score(labels, scores),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("digits", [8, 1, 0])
def test_all_areas_are_those_of_scikit_learn_with_any_ties_and_weights(seed, digits):
    labels, scores, weights = draw(seed, digits=digits)
    assert curve_areas(labels, scores) == pytest.approx(
        by_sklearn(labels, scores, np.ones_like(labels)), abs=1e-12
    )
    assert curve_areas(labels, scores, weights) == pytest.approx(
        by_sklearn(labels, scores, weights), abs=1e-12
    )


def test_rows_of_weights_give_what_each_row_gives_alone():
    labels, scores, _ = draw()
    rows = np.random.default_rng(1).integers(0, 3, (5, len(labels)))
    tally = Ranking.of(labels, scores).tally(rows)
    for name, area in AREAS.items():
        alone = [curve_areas(labels, scores, row)[name] for row in rows]
        np.testing.assert_allclose(area(*tally), alone, rtol=1e-12)


def test_one_class_has_no_areas():
    for labels, weights in (([1, 1], None), ([0, 1], [1, 0])):
        assert all(np.isnan(area) for area in curve_areas(labels, [1, 2], weights).values())


def test_straight_lines_and_steps_through_the_same_points_have_areas_of_their_own():
    # (recall, precision): (0, 1), (1/2, 1), (1/2, 1/2), (1, 2/3).
    found = curve_areas([1, 0, 1], [0.9, 0.8, 0.7])
    assert found["pr_auc"] == pytest.approx(1 / 2 * 1 + 1 / 2 * (1 / 2 + 2 / 3) / 2)
    assert found["average_precision"] == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
