"""The shift of another prior, against Bayes' rule by counting."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from mammography.functional.prior_shift import prior_shift


def test_it_is_bayes_rule():
    likelihood = np.array([0.01, 0.5, 1.0, 8.0, 300.0])
    seen = likelihood * 0.3 / (likelihood * 0.3 + 0.7)
    right = likelihood * 0.02 / (likelihood * 0.02 + 0.98)
    np.testing.assert_allclose(expit(logit(seen) + prior_shift(0.3, 0.02)), right, rtol=1e-12)


def test_a_regression_on_balanced_cases_becomes_that_of_the_population():
    rng = np.random.default_rng(0)
    labels = rng.random(400_000) < 0.02
    values = (rng.normal(size=labels.size) + 1.5 * labels)[:, None]
    balanced = np.concatenate(
        [np.flatnonzero(labels), rng.choice(np.flatnonzero(~labels), labels.sum(), replace=False)]
    )
    few = LogisticRegression(C=1e6).fit(values[balanced], labels[balanced])
    weighted = LogisticRegression(C=1e6, class_weight={True: 49, False: 1}).fit(values, labels)
    for model in (few, weighted):
        scores = expit(model.decision_function(values) + prior_shift(0.5, 0.02))
        assert scores.mean() == pytest.approx(0.02, abs=0.001)


def test_back_and_forth_is_nothing():
    assert prior_shift(0.5, 0.02) == pytest.approx(-prior_shift(0.02, 0.5))
    assert prior_shift(0.1, 0.1) == 0


@pytest.mark.parametrize(("trained", "population"), [(0, 0.1), (1, 0.1), (0.5, 0), (0.5, 2)])
def test_a_share_that_is_none_is_refused(trained, population):
    with pytest.raises(ValueError, match="must lie between 0 and 1, got"):
        prior_shift(trained, population)
