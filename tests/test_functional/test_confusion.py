"""Counts and rates against scikit-learn, with ties at the threshold."""

import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from binary_studies import draw_cases, draw_patients, small_studies, unhurried
from mammography.functional.confusion import (
    RATES,
    bootstrap_rates,
    confusion_at,
    confusion_rates,
)
from mammography.functional.proportions import proportion


@unhurried
@given(small_studies())
def test_counts_are_those_of_scikit_learn_at_every_threshold(study):
    labels, scores = study
    thresholds = np.arange(-7, 8)
    counts = confusion_at(labels, scores, thresholds)
    for at, threshold in enumerate(thresholds):
        theirs = confusion_matrix(labels, scores >= threshold, labels=[0, 1]).ravel()
        ours = (
            counts.true_negative[at],
            counts.false_positive[at],
            counts.false_negative[at],
            counts.true_positive[at],
        )
        assert ours == tuple(theirs)


@unhurried
@given(small_studies())
def test_a_higher_threshold_never_finds_more_and_swapped_labels_swap_the_counts(study):
    labels, scores = study
    thresholds = np.arange(-7, 8)
    counts, swapped = (confusion_at(y, scores, thresholds) for y in (labels, 1 - labels))
    assert (np.diff(counts.true_positive) <= 0).all()
    assert (np.diff(counts.true_negative) >= 0).all()
    np.testing.assert_array_equal(counts.true_positive, swapped.false_positive)
    np.testing.assert_array_equal(counts.false_negative, swapped.true_negative)


def test_rates_are_those_of_scikit_learn_with_intervals_of_shares():
    labels, scores, _ = draw_cases(0)
    rates = confusion_rates(confusion_at(labels, scores, [0.3]))
    called = scores >= 0.3
    expected = {
        "sensitivity": recall_score(labels, called),
        "specificity": recall_score(1 - labels, ~called),
        "ppv": precision_score(labels, called),
        "npv": precision_score(1 - labels, ~called),
        "recall_rate": called.mean(),
        "detection_rate": (called & (labels == 1)).mean(),
        "accuracy": (called == labels).mean(),
    }
    assert {name: float(rate.values[0]) for name, rate in rates.items()} == pytest.approx(expected)
    sensitivity = rates["sensitivity"]
    one = proportion((called & (labels == 1)).sum(), 40)
    assert tuple(sensitivity.intervals[0]) == pytest.approx(one.interval)
    assert sensitivity.cases[0] == 40


def test_a_share_of_nothing_is_not_a_number_and_says_of_how_many():
    rates = confusion_rates(confusion_at([0, 0, 1], [1, 2, 3], [9.0]))
    assert np.isnan(rates["ppv"].values[0])
    assert np.isnan(rates["ppv"].intervals).all()
    assert rates["ppv"].cases[0] == 0
    assert rates["npv"].values[0] == pytest.approx(2 / 3)


def test_resampled_rates_are_those_of_the_resampled_images():
    labels, scores, patients = draw_patients(patients=40)
    found = bootstrap_rates(labels, [scores, -scores], patients, 0.5, rates=tuple(RATES), repeats=4)
    drawn = np.random.default_rng(0).integers(40, size=(4, 40))
    for row in range(4):
        images = np.concatenate([np.flatnonzero(patients == one) for one in drawn[row]])
        for at, score in enumerate((scores, -scores)):
            counts = confusion_at(labels[images], score[images], [0.5])
            expected = [float(rate.values[0]) for rate in confusion_rates(counts).values()]
            part = found.draws[row, at * len(RATES) : (at + 1) * len(RATES)]
            np.testing.assert_allclose(part, expected)


def test_stratified_resamples_have_the_positives_of_the_study():
    labels, scores, _ = draw_cases(positives=30, negatives=50)
    options = {"rates": ("sensitivity", "detection_rate"), "repeats": 50}
    for stratified in (False, True):
        found = bootstrap_rates(
            labels, scores, range(80), 0.5, stratified=stratified, **options
        ).draws
        shares = found[:, 1] / found[:, 0]  # Of positive cases in each resample.
        assert (np.ptp(shares) < 1e-12) == stratified


def test_images_of_a_patient_widen_the_interval_of_a_sensitivity():
    labels, scores, patients = draw_patients(patients=100, spread=3.0)
    options = {"rates": ("sensitivity",), "repeats": 500}
    together = bootstrap_rates(labels, scores, patients, 0.5, **options)
    apart = bootstrap_rates(labels, scores, np.arange(labels.size), 0.5, **options)
    assert together.draws.std() > 1.4 * apart.draws.std()


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="rates must be among sensitivity"):
        bootstrap_rates([0, 1], [0, 1], [0, 1], 0.5, rates=("f1",))
    with pytest.raises(ValueError, match="study itself must be defined"):
        bootstrap_rates([0, 1], [0, 1], [0, 1], 9, rates=("ppv",))
    with pytest.raises(ValueError, match="labels must be 0 or 1"):
        confusion_at([0, 2], [0, 1], [0.5])
