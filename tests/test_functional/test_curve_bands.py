"""Bands around curves against resampling and scikit-learn by hand."""

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve, roc_curve

from mammography.functional.curve_bands import bootstrap_curves


def cases(n=200, seed=0, ties=True):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(float)
    scores = rng.normal(labels, 1.0)
    return labels, np.round(scores, 1) if ties else scores, np.repeat(np.arange(n // 2), 2)


def curves_by_hand(labels, scores, at):
    """Sensitivity at false positive rates and precision at recalls, from scikit-learn's points."""
    false_rate, true_rate, _ = roc_curve(labels, scores, drop_intermediate=False)
    sensitivity = []
    for x in at:
        on = np.flatnonzero(false_rate == x)
        if len(on):
            sensitivity.append(true_rate[on[-1]])
        else:
            sensitivity.append(np.interp(x, false_rate, true_rate))
    precision, recall, _ = precision_recall_curve(labels, scores)
    # scikit-learn runs from all cases to none; the last point is no threshold.
    reached = [precision[:-1][recall[:-1] >= r - 1e-12][-1] for r in at]
    return np.array(sensitivity), np.array(reached)


def test_the_bands_are_quantiles_of_the_curves_of_resampled_patients_by_scikit_learn():
    labels, scores, patients = cases()
    at = np.linspace(0, 1, 11)
    found = bootstrap_curves(labels, scores, patients, points=11, repeats=100, seed=3)
    # The same draws: patients with a positive case apart from the others, in this order.
    has = np.array([labels[patients == p].max() for p in np.unique(patients)])
    rng = np.random.default_rng(3)
    kinds = [np.flatnonzero(has == kind) for kind in (0, 1)]
    rows = {kind: rng.integers(len(kinds[kind]), size=(100, len(kinds[kind]))) for kind in (0, 1)}
    draws = []
    for repeat in range(100):
        drawn = np.concatenate([kinds[kind][rows[kind][repeat]] for kind in (0, 1)])
        chosen = np.concatenate([np.flatnonzero(patients == patient) for patient in drawn])
        draws.append(curves_by_hand(labels[chosen], scores[chosen], at))
    for band, column in ((found.sensitivity[0], 0), (found.precision[0], 1)):
        expected = np.quantile([draw[column] for draw in draws], [0.025, 0.975], axis=0).T
        np.testing.assert_allclose(band, expected, atol=1e-12)


def test_the_curve_lies_inside_its_band_and_ends_where_all_are_called():
    labels, scores, patients = cases(ties=False)
    found = bootstrap_curves(labels, scores, patients, repeats=300)
    sensitivity, precision = curves_by_hand(labels, scores, found.at)
    low, high = found.sensitivity[0].T
    assert ((low <= sensitivity + 1e-9) & (sensitivity <= high + 1e-9)).mean() > 0.95
    assert (found.sensitivity[0, -1] == 1).all()
    share_low, share_high = found.precision[0, -1]
    assert share_low <= precision[-1] <= share_high


def test_a_rising_function_of_the_scores_changes_nothing():
    labels, scores, patients = cases()
    one = bootstrap_curves(labels, scores, patients, repeats=100)
    two = bootstrap_curves(labels, np.exp(scores), patients, repeats=100)
    np.testing.assert_array_equal(one.sensitivity, two.sensitivity)
    np.testing.assert_array_equal(one.precision, two.precision)


def test_one_class_alone_has_no_curve():
    with pytest.raises(ValueError, match="each class must have at least 1"):
        bootstrap_curves([0, 0], [0.1, 0.2], ["a", "b"])
