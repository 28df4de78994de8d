"""Sensitivities at rates of false marks by counting, threshold by threshold."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binary_studies import unhurried
from mammography.functional.froc import FALSE_MARKS_PER_IMAGE, bootstrap_froc


def by_counting(lesions, false, images, rates):
    """The best sensitivity that any threshold reaches with no more false marks per image."""
    thresholds = [math.inf, *lesions[np.isfinite(lesions)], *false]
    points = [((false >= t).sum() / images, (lesions >= t).mean()) for t in thresholds]
    found = [max(s for f, s in points if f <= rate + 1e-9) for rate in rates]
    return [*found, np.mean(found)]


def draw_marks(seed=0, patients=30):
    rng = np.random.default_rng(seed)
    lesion_patients = np.sort(rng.integers(0, patients, 25))
    false_patients = np.sort(rng.integers(0, patients, 90))
    lesions = np.where(rng.random(25) < 0.2, -np.inf, rng.normal(1, 1, 25).round(1))
    return {
        "lesion_scores": lesions,
        "lesion_patients": lesion_patients,
        "false_scores": rng.normal(0, 1, 90).round(1),
        "false_patients": false_patients,
        "image_patients": np.repeat(np.arange(patients), 4),
    }


scores = st.lists(st.integers(0, 6), max_size=20)


@unhurried
@given(scores.filter(bool), scores, st.integers(1, 8))
def test_sensitivities_are_those_of_all_thresholds_with_any_ties(lesions, false, images):
    lesions, false = np.array(lesions, float), np.array(false, float)
    lesions[lesions == 0] = -np.inf
    found = bootstrap_froc(
        lesions,
        np.zeros(lesions.size, int),
        false,
        np.zeros(false.size, int),
        np.zeros(images, int),
        repeats=1,
    )
    expected = by_counting(lesions, false, images, FALSE_MARKS_PER_IMAGE)
    np.testing.assert_allclose(found.estimate, expected, atol=1e-12)


def test_more_false_marks_never_find_less_and_ranks_are_all_that_counts():
    marks = draw_marks()
    found = bootstrap_froc(**marks, repeats=50)
    assert (np.diff(found.draws[:, :-1], axis=1) >= 0).all()
    for name in ("lesion_scores", "false_scores"):
        marks[name] = np.where(np.isfinite(marks[name]), np.exp(marks[name]), -np.inf)
    np.testing.assert_array_equal(bootstrap_froc(**marks, repeats=50).draws, found.draws)


def test_a_resample_counts_lesions_marks_and_images_of_its_patients():
    marks = draw_marks(1)
    found = bootstrap_froc(**marks, rates=(0.25, 1), repeats=10)
    drawn = np.random.default_rng(0).integers(30, size=(10, 30))
    for row in range(10):
        parts = {}
        for kind in ("lesion", "false"):
            owner, score = marks[f"{kind}_patients"], marks[f"{kind}_scores"]
            parts[kind] = np.concatenate([score[owner == patient] for patient in drawn[row]])
        expected = by_counting(parts["lesion"], parts["false"], 120, (0.25, 1))
        np.testing.assert_allclose(found.draws[row], expected, atol=1e-12)


def test_without_a_mark_nothing_is_found():
    found = bootstrap_froc([-np.inf, -np.inf], ["a", "b"], [], [], ["a", "b"], repeats=5)
    np.testing.assert_array_equal(found.draws, 0)


def test_resamples_without_a_lesion_are_drawn_again():
    found = bootstrap_froc([0.5], ["a"], [0.7], ["b"], ["a", "b", "c"], repeats=200)
    assert found.redrawn > 20
    assert np.isfinite(found.draws).all()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"lesion_scores": [], "lesion_patients": []}, "must be lesions and images, got 0"),
        ({"image_patients": []}, "must be lesions and images"),
        ({"lesion_patients": [1]}, "must have one patient"),
        ({"lesion_scores": [np.nan] * 25}, "scores must be numbers"),
        ({"false_scores": [np.inf] * 90}, "scores must be numbers"),
        ({"rates": (0.0, 1.0)}, "rates must be positive"),
        ({"false_patients": [99] * 90}, "must have images, got 99"),
    ],
)
def test_what_has_no_curve_is_refused(change, rule):
    with pytest.raises(ValueError, match=rule):
        bootstrap_froc(**{**draw_marks(), **change})
