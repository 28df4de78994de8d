import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold

from mammography.functional.folds import NEVER, nested_folds


@st.composite
def cohorts(draw):
    positive = draw(st.integers(8, 30))
    negative = draw(st.integers(8, 60))
    missing = draw(st.integers(0, 4))
    labels = np.array([1.0] * positive + [0.0] * negative + [np.nan] * missing)
    return np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)


@settings(max_examples=40, deadline=None)
@given(cohorts(), st.integers(2, 4), st.integers(2, 4), st.integers(0, 5))
def test_each_patient_tests_once_and_validates_once_outside_of_that(labels, outer, inner, seed):
    tested, validated = nested_folds(labels, outer, inner, seed)
    assert set(tested) == set(range(outer))
    for fold in range(outer):
        assert set(validated[fold, tested == fold]) == {NEVER}
        assert set(validated[fold, tested != fold]) == set(range(inner))


@settings(max_examples=40, deadline=None)
@given(cohorts(), st.integers(2, 4), st.integers(2, 4), st.integers(0, 5))
def test_the_patients_of_a_class_are_spread_to_one(labels, outer, inner, seed):
    tested, validated = nested_folds(labels, outer, inner, seed)
    classes = np.nan_to_num(labels, nan=2.0)
    for folds, count in [(tested, outer), *((row, inner) for row in validated)]:
        for label in np.unique(classes):
            sizes = np.bincount(folds[(classes == label) & (folds != NEVER)], minlength=count)
            assert np.ptp(sizes) <= 1
        for fold in range(count):
            assert set(labels[folds == fold]) >= {0.0, 1.0}


def test_a_row_per_patient_is_divided_as_evenly_as_groups_of_images_by_scikit_learn():
    labels = (np.arange(90) % 3 == 0).astype(float)
    patients = np.repeat(np.arange(90), 4)
    theirs = np.empty(90, int)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    for fold, (_, rows) in enumerate(splitter.split(patients, labels[patients], patients)):
        theirs[patients[rows]] = fold
    ours, _ = nested_folds(labels, 5, 5)
    for label in (0, 1):
        spread = [np.ptp(np.bincount(folds[labels == label])) for folds in (ours, theirs)]
        assert spread[0] <= spread[1]
        assert spread[0] == 0


def test_without_inner_folds_a_fifth_validates_and_the_rest_only_trains():
    for inner in (0, 1):
        tested, validated = nested_folds([0, 1] * 50, 4, inner)
        for fold in range(4):
            counts = dict(zip(*np.unique(validated[fold, tested != fold], return_counts=True)))  # noqa: B905
            assert counts == {NEVER: 60, 0: 15}


def test_a_seed_draws_the_same_folds_again_and_another_one_others():
    labels = np.arange(60) % 2
    first, again, other = (nested_folds(labels, 3, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize(
    ("labels", "outer", "inner", "message"),
    [
        ([0] * 20 + [1] * 4, 5, 2, "in each of 5 outer folds, got 4 positive and 20 negative"),
        ([0] * 20 + [1] * 4, 4, 4, "in each of 4 inner folds outside of each outer fold, got 3"),
        ([0] * 20 + [1] * 5, 3, 0, "in each of 5 parts outside of each outer fold, got 3 pos"),
        ([0] * 20, 2, 2, "got 0 positive and 20 negative patients: choose fewer folds"),
        ([0, 1, 2] * 9, 2, 2, "labels must be 0, 1 or missing"),
        ([0, 1] * 9, 1, 2, "outer must be >= 2 and inner >= 0, got 1, 2"),
    ],
)
def test_folds_without_both_classes_are_refused(labels, outer, inner, message):
    with pytest.raises(ValueError, match=message):
        nested_folds(labels, outer, inner)
