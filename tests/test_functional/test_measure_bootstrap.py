"""Measures of resampled patients against the bootstrap of areas and a loop."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import brier_score_loss, roc_auc_score

from mammography.functional.bootstrap import patient_bootstrap, percentile_interval
from mammography.functional.measure_bootstrap import bootstrap_measures


def study(patients=80, seed=0):
    """Two breasts per patient, two scores of each."""
    rng = np.random.default_rng(seed)
    names = np.repeat(np.arange(patients), 2)
    labels = (rng.random(2 * patients) < 0.25).astype(float)
    luck = np.repeat(rng.normal(0, 0.7, patients), 2)
    noise = rng.normal(0, 1, (2, 2 * patients))
    return labels, expit(np.array([[1.0], [1.8]]) * labels + luck + noise - 1), names


def test_areas_are_those_of_the_bootstrap_of_areas():
    labels, scores, patients = study()
    names = ("roc_auc", "average_precision")
    ours = bootstrap_measures(labels, scores, patients, measures=names, repeats=300, seed=4)
    theirs = patient_bootstrap(labels, scores, patients, areas=names, repeats=300, seed=4)
    for name in names:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12)


def test_intervals_are_those_of_a_loop_over_patients():
    labels, scores, patients = study()
    rng = np.random.default_rng(11)
    by_hand = []
    for _ in range(2000):
        rows = np.concatenate([(2 * p, 2 * p + 1) for p in rng.integers(80, size=80)])
        found = [
            [measure(labels[rows], score[rows]) for score in scores]
            for measure in (brier_score_loss, roc_auc_score)
        ]
        by_hand.append([second - first for first, second in found])
    draws = bootstrap_measures(labels, scores, patients, measures=("brier", "roc_auc"))
    for column, name in enumerate(("brier", "roc_auc")):
        ours = percentile_interval(draws[name][:, 1] - draws[name][:, 0])
        theirs = percentile_interval(np.array(by_hand)[:, column])
        assert ours == pytest.approx(theirs, abs=0.15 * (theirs[1] - theirs[0]))


def test_a_measure_that_the_study_does_not_define_hides_no_other():
    labels = np.array([0, 1] * 20)
    sure = np.where(labels == 1, 0.9, 0.1) + np.linspace(0, 0.05, 40)
    other = np.linspace(0.1, 0.9, 40)
    names = ("calibration_slope", "brier")
    draws = bootstrap_measures(labels, [sure, other], range(40), measures=names, repeats=50)
    assert np.isnan(draws["calibration_slope"][:, 0]).all()
    assert np.isfinite(draws["calibration_slope"][:, 1]).all()
    assert np.isfinite(draws["brier"]).all()


def test_few_of_a_class_have_no_interval():
    labels = [1] * 9 + [0] * 40
    with pytest.raises(ValueError, match="at least 10 cases of each class, got 9"):
        bootstrap_measures(labels, [0.5] * 49, range(49), measures=("brier",))
