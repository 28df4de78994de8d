"""Average precisions without each patient: brute force, scikit-learn, resampled patients."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from binary_studies import draw_cases, draw_patients, small_studies, unhurried
from mammography.functional.bootstrap import bootstrap_areas
from mammography.functional.precision_areas import jackknife_average_precisions


@unhurried
@given(small_studies(fewest=4), st.integers(1, 4))
def test_each_patient_is_left_out_as_if_she_had_not_come(study, images):
    labels, scores = study
    # Positive cases stand first: every other patient has cases of both classes at times.
    order = np.random.default_rng(0).permutation(labels.size)
    labels, scores, patients = labels[order], scores[order], np.arange(labels.size) // images
    assume(min(np.unique(patients[labels == side]).size for side in (0, 1)) > 1)
    found = jackknife_average_precisions(labels, patients, scores)
    assert found.values[0] == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    for patient in range(int(patients.max()) + 1):
        kept = patients != patient
        theirs = average_precision_score(labels[kept], scores[kept])
        assert found.left[patient, 0] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("spread", [0.0, 2.0])
def test_the_standard_error_is_that_of_resampled_patients(spread):
    labels, scores, patients = draw_patients(1, patients=400, images=4, spread=spread)
    other = scores + np.random.default_rng(2).normal(size=scores.size)
    for sampling, stratified in (("cohort", False), ("case_control", True)):
        found = jackknife_average_precisions(labels, patients, scores, other, sampling=sampling)
        drawn = bootstrap_areas(
            labels,
            [scores, other],
            patients,
            areas=("average_precision",),
            stratified=stratified,
            repeats=1500,
        )
        for ours, theirs in (
            (found, drawn.draws[:, 0]),
            (found.contrast(0, 1), drawn.contrast(0, 1).draws[:, 0]),
        ):
            low, high = ours.estimates()[0].interval
            assert (high - low) / (2 * 1.96) == pytest.approx(theirs.std(), rel=0.08)


def test_fixed_numbers_of_patients_leave_less_to_chance():
    labels, scores, _ = draw_cases(0, positives=50, negatives=150)
    cohort, fixed = (
        np.diff(
            jackknife_average_precisions(labels, range(200), scores, sampling=sampling)
            .estimates(scale="logit")[0]
            .interval
        )[0]
        for sampling in ("cohort", "case_control")
    )
    assert fixed < 0.95 * cohort


def test_images_that_are_copies_count_for_nothing():
    labels, scores, _ = draw_cases(3)
    once = jackknife_average_precisions(labels, range(labels.size), scores)
    four = [np.repeat(column, 4) for column in (labels, np.arange(labels.size), scores)]
    copied = jackknife_average_precisions(*four)
    np.testing.assert_allclose(copied.left, once.left, atol=1e-12)


def test_the_order_of_cases_and_the_names_of_patients_do_not_matter():
    labels, scores, patients = draw_patients(5)
    found = jackknife_average_precisions(labels, patients, scores)
    order = np.random.default_rng(0).permutation(labels.size)
    names = np.array([f"p{index:03d}" for index in patients])
    moved = jackknife_average_precisions(labels[order], names[order], scores[order])
    np.testing.assert_allclose(moved.left, found.left, atol=1e-12)


def test_all_in_order_has_no_interval_and_no_difference_to_itself():
    labels = np.repeat([0, 1], 20)
    found = jackknife_average_precisions(labels, range(40), np.arange(40), np.arange(40))
    assert found.values.tolist() == [1.0, 1.0]
    assert np.isnan(found.estimates(scale="logit")[0].interval).all()
    assert found.contrast(0, 1).p_values() == [1.0]


@pytest.mark.parametrize(
    ("labels", "patients", "sampling", "rule"),
    [
        ([0, 0, 1, 1], [0, 1, 2, 2], "cohort", "in at least 2 patients, got 1 with positive"),
        ([0, 0, 1, 1], [0, 0, 2, 1], "cohort", "2 with positive and 1 with negative"),
        ([0, 1, 0, 1], [0, 0, 1, 1], "case_control", "without a positive case, got 0; use cohort"),
        ([0, 1, 0, 1], [0, 1, 2, 3], "survey", "sampling must be 'cohort' or 'case_control'"),
        ([0, 1, 0, 2], [0, 1, 2, 3], "cohort", "labels must be 0 or 1"),
    ],
)
def test_what_cannot_be_left_out_is_refused(labels, patients, sampling, rule):
    with pytest.raises(ValueError, match=rule):
        jackknife_average_precisions(labels, patients, [0.1, 0.2, 0.3, 0.4], sampling=sampling)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="scores finite"):
        jackknife_average_precisions([0, 1, 0, 1], range(4), [0.1, np.nan, 0.3, 0.4])
