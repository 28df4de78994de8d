import math

import numpy as np
import pytest
from crepes import ConformalClassifier
from crepes.extras import hinge

from golden import golden
from mammography.functional.conformal import (
    conformal_threshold,
    label_nonconformity,
    prediction_sets,
)


@pytest.fixture
def study():
    """Two classes, calibration of 200 and test of the rest, as in the reference values."""
    calibration = golden("04_uncertainty")["expected"]["calibration"]
    p, y = np.array(calibration["p"]), np.array(calibration["y"])
    return np.stack([1 - p, p], axis=1), y


def test_threshold_coverage_and_size_agree_with_the_reference_values(study):
    probabilities, labels = study
    want = golden("04_uncertainty")["expected"]["conformal_lac"]
    n = want["n_cal"]
    threshold = conformal_threshold(
        label_nonconformity(probabilities[:n], labels[:n]), want["alpha"]
    )
    assert threshold == pytest.approx(want["qhat"], abs=1e-12)
    assert threshold < want["qhat_numpy_higher"]  # the (k + 1)-th
    sets = prediction_sets(probabilities[n:], threshold)
    covered = sets[np.arange(len(sets)), labels[n:]]
    assert covered.mean() == pytest.approx(want["coverage"])
    assert sets.sum(axis=1).mean() == pytest.approx(want["mean_set_size"])


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_sets_are_those_of_crepes(study, alpha):
    probabilities, labels = study
    classifier = ConformalClassifier()
    classifier.fit(hinge(probabilities[:200], np.array([0, 1]), labels[:200]))
    theirs = classifier.predict_set(
        hinge(probabilities[200:]), confidence=1 - alpha, smoothing=False
    )
    threshold = conformal_threshold(label_nonconformity(probabilities[:200], labels[:200]), alpha)
    assert np.array_equal(prediction_sets(probabilities[200:], threshold), theirs == 1)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_sets_by_class_are_those_of_crepes(study, alpha):
    probabilities, labels = study
    classifier = ConformalClassifier()
    classifier.fit(hinge(probabilities[:200], np.array([0, 1]), labels[:200]), bins=labels[:200])
    scores = label_nonconformity(probabilities[:200], labels[:200])
    thresholds = [conformal_threshold(scores[labels[:200] == k], alpha) for k in (0, 1)]
    ours = prediction_sets(probabilities[200:], thresholds)
    for k in (0, 1):
        bins = np.full(len(probabilities) - 200, k)
        theirs = classifier.predict_set(
            hinge(probabilities[200:]), bins=bins, confidence=1 - alpha, smoothing=False
        )
        assert np.array_equal(ours[:, k], theirs[:, k] == 1)


def test_the_threshold_is_exactly_the_kth_smallest():
    """By counting, over all n and alpha where the product is a whole number or not."""
    rng = np.random.default_rng(0)
    for n in range(1, 60):
        scores = rng.random(n)
        for percent in (1, 5, 7, 10, 29, 30, 50):
            k = -(-(n + 1) * (100 - percent) // 100)  # in whole numbers
            want = np.sort(scores)[k - 1] if k <= n else math.inf
            assert conformal_threshold(scores, percent / 100) == want


def test_the_coverage_is_at_least_one_minus_alpha_and_little_more():
    """The coverage of exchangeable scores lies between 1 - alpha and 1 - alpha + 1 / (n + 1)."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(20_000):
        scores = rng.random(20)
        covered.append(scores[-1] <= conformal_threshold(scores[:-1], 0.2))
    assert 0.8 - 0.009 < np.mean(covered) < 0.85 + 0.009  # three standard errors


def test_too_few_cases_give_whole_sets():
    threshold = conformal_threshold([0.2, 0.3], 0.1)
    assert threshold == math.inf
    assert prediction_sets([[0.0, 1.0]], threshold).all()
    assert conformal_threshold([], 0.5) == math.inf


def test_a_set_may_be_empty():
    assert not prediction_sets([[0.4, 0.6]], 0.3).any()


@pytest.mark.parametrize("alpha", [0, 1, -0.1])
def test_alpha_is_a_probability(alpha):
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 1\)"):
        conformal_threshold([0.5], alpha)
