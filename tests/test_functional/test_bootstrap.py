"""Tests of mammography/functional/bootstrap.py."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from mammography.functional.bootstrap import (
    bootstrap_areas,
    patient_bootstrap,
    patient_bootstrap_roc_auc,
    percentile_interval,
    weighted_roc_auc,
)
from mammography.functional.curve_areas import curve_areas


def draw(patients=60, images=4, spread=1.0, seed=0):
    """Scores of images that share the luck of their patient, as strongly as ``spread`` says."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), images)
    labels = (patient % 2).astype(float)
    scores = labels + spread * rng.normal(size=patients)[patient] + rng.normal(size=len(patient))
    return labels, scores, patient


@pytest.mark.parametrize("digits", [8, 0])
def test_the_weighted_area_is_that_of_scikit_learn_with_and_without_ties(digits):
    labels, scores, _ = draw()
    scores = scores.round(digits)
    weights = np.random.default_rng(1).integers(0, 4, len(labels))
    want = roc_auc_score(labels, scores, sample_weight=weights)
    assert weighted_roc_auc(labels, scores, weights) == pytest.approx(want, abs=1e-12)


def test_a_class_without_weight_gives_no_area():
    assert np.isnan(weighted_roc_auc([0, 1], [0.2, 0.8], [1, 0]))


def test_with_one_image_a_patient_it_is_the_interval_of_scipy():
    labels, scores, patient = draw(patients=200, images=1)
    theirs = bootstrap(
        (labels, scores),
        lambda y, s: roc_auc_score(y, s),
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=2000,
        rng=1,
    ).confidence_interval
    assert patient_bootstrap_roc_auc(labels, scores, patient) == pytest.approx(theirs, abs=0.01)


def test_images_of_one_patient_do_not_count_as_many_patients():
    labels, scores, patient = draw(spread=3.0)
    low, high = patient_bootstrap_roc_auc(labels, scores, patient)
    alone_low, alone_high = patient_bootstrap_roc_auc(labels, scores, np.arange(len(labels)))
    assert high - low > 1.5 * (alone_high - alone_low)


def test_nineteen_of_twenty_studies_hold_the_truth():
    rng = np.random.default_rng(3)
    truth = 0.7602499389065233  # Phi(1 / sqrt(2)): normal scores one standard deviation apart
    inside = 0
    for study in range(200):
        labels = np.arange(120) % 2
        scores = labels + rng.normal(size=120)
        low, high = patient_bootstrap_roc_auc(
            labels, scores, np.arange(120), repeats=300, seed=study
        )
        inside += low <= truth <= high
    assert 0.90 <= inside / 200 <= 0.985


def test_the_seed_decides():
    data = draw()
    assert patient_bootstrap_roc_auc(*data) == patient_bootstrap_roc_auc(*data)
    assert patient_bootstrap_roc_auc(*data, seed=1) != patient_bootstrap_roc_auc(*data)


def test_too_few_of_a_class_are_refused():
    labels, scores, patient = draw(patients=8, images=2)
    with pytest.raises(ValueError, match="at least 10 cases of each class, got 8"):
        patient_bootstrap_roc_auc(labels, scores, patient)


def test_several_scores_see_the_same_patients():
    labels, scores, patient = draw()
    other = scores + np.random.default_rng(5).normal(size=len(scores))
    both = patient_bootstrap(labels, [scores, other], patient, repeats=300)["roc_auc"]
    alone = [
        patient_bootstrap(labels, row, patient, repeats=300)["roc_auc"][:, 0]
        for row in (scores, other)
    ]
    np.testing.assert_array_equal(both, np.stack(alone, axis=1))
    # Paired, the difference spreads less than of two independent ones.
    assert (both[:, 0] - both[:, 1]).std() < 0.8 * np.hypot(*both.std(axis=0))


def test_every_area_of_a_resample_is_that_of_scikit_learn():
    labels, scores, patient = draw(patients=40)
    names = ("roc_auc", "pr_auc", "average_precision")
    draws = patient_bootstrap(labels, scores, patient, areas=names, repeats=20)
    drawn = np.random.default_rng(0).integers(40, size=(20, 40))
    for row in range(20):
        images = np.concatenate([np.flatnonzero(patient == one) for one in drawn[row]])
        precision, recall, _ = precision_recall_curve(labels[images], scores[images])
        expected = (
            roc_auc_score(labels[images], scores[images]),
            auc(recall, precision),
            average_precision_score(labels[images], scores[images]),
        )
        assert [draws[name][row, 0] for name in names] == pytest.approx(expected, abs=1e-12)


def test_the_interval_of_average_precision_is_that_of_scipy():
    labels, scores, patient = draw(patients=200, images=1)
    theirs = bootstrap(
        (labels, scores),
        lambda y, s: average_precision_score(y, s),
        paired=True,
        vectorized=False,
        method="percentile",
        n_resamples=1000,
        rng=1,
    ).confidence_interval
    draws = patient_bootstrap(labels, scores, patient, areas=("average_precision",))
    found = percentile_interval(draws["average_precision"][:, 0])
    assert found == pytest.approx(theirs, abs=0.015)


def test_resamples_of_one_class_are_drawn_again():
    # All positives are of one patient: two resamples in five lack a class.
    labels, patient = np.repeat([1, 0], [10, 30]), np.repeat([0, 1, 2, 3], 10)
    scores = np.random.default_rng(0).normal(size=40)
    draws = patient_bootstrap(labels, scores, patient, repeats=500)["roc_auc"]
    assert draws.shape == (500, 1)
    assert np.isfinite(draws).all()


def test_a_stratified_resample_hardly_lacks_a_class_and_the_interval_is_narrower():
    # A positive patient in ten: one resample in some thousand is of one class.
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(30), 5)
    labels = (patient < 3).astype(int)
    scores = labels + rng.normal(size=150)
    plain = bootstrap_areas(labels, scores, patient, repeats=1000)
    kept = bootstrap_areas(labels, scores, patient, repeats=1000, stratified=True)
    assert plain.redrawn > 10
    assert kept.redrawn == 0
    assert kept.draws.std() < plain.draws.std()
    assert kept.estimate == plain.estimate == pytest.approx(roc_auc_score(labels, scores))


def test_the_bca_interval_of_patients_with_one_image_is_that_of_scipy_on_the_same_draws():
    labels, scores, patient = draw(patients=60, images=1)
    found = bootstrap_areas(labels, scores, patient, jackknife=True)
    theirs = bootstrap(
        (labels, scores),
        # Not of scikit-learn, which rounds otherwise: draws that equal the area count half.
        lambda y, s: curve_areas(y, s)["roc_auc"],
        paired=True,
        vectorized=False,
        method="BCa",
        n_resamples=0,
        bootstrap_result=SimpleNamespace(bootstrap_distribution=found.draws[:, 0]),
    ).confidence_interval
    np.testing.assert_allclose(found.bca()[0], theirs, rtol=1e-10)


def test_numbers_come_area_by_area_and_score_by_score():
    labels, scores, patient = draw()
    found = bootstrap_areas(
        labels, [scores, -scores], patient, areas=("roc_auc", "average_precision"), repeats=20
    )
    expected = [
        measure(labels, s)
        for measure in (roc_auc_score, average_precision_score)
        for s in (scores, -scores)
    ]
    np.testing.assert_allclose(found.estimate, expected)
    np.testing.assert_allclose(found.draws[:, 0], 1 - found.draws[:, 1])


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="scores finite"):
        bootstrap_areas([0, 1] * 10, [np.nan] * 20, range(20))
