import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from golden import golden
from mammography.functional.patient_fraction import draw_fraction, join_values


def strata(**sizes):
    return {f"{name}{i}": name for name, size in sizes.items() for i in range(size)}


def counts(kept, of):
    return Counter(of[patient] for patient in kept)


def test_it_keeps_as_many_of_each_stratum_as_a_stratified_split():
    of = strata(a=400, b=80, c=20)
    theirs, _ = train_test_split(list(of), train_size=0.25, stratify=list(of.values()))
    assert counts(draw_fraction(of, 0.25), of) == counts(theirs, of) == {"a": 100, "b": 20, "c": 5}


def test_patients_with_cancer_keep_their_share_in_the_reference_study():
    case = golden("07_samplers")["expected"]["stratified_group_kfold"]
    of = dict(enumerate(case["y_per_group"]))  # 40 patients, 6 with cancer
    assert counts(draw_fraction(of, 0.5), of) == {0: 17, 1: 3}


def test_a_small_stratum_does_not_disappear():
    of = strata(healthy=100, rare=1)
    assert counts(draw_fraction(of, 0.05), of) == {"healthy": 5, "rare": 1}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=60),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
    st.integers(0, 5),
)
def test_larger_fractions_contain_smaller_ones_and_the_order_changes_nothing(of, a, b, seed):
    patients = dict(enumerate(of))
    less, more = (draw_fraction(patients, share, seed) for share in sorted((a, b)))
    assert less <= more
    turned = dict(reversed(patients.items()))
    assert draw_fraction(turned, a, seed) == draw_fraction(patients, a, seed)
    for stratum, total in Counter(of).items():
        assert abs(counts(less, patients)[stratum] - min(a, b) * total) <= max(0.5, 1 - min(a, b))


def test_seeds_choose_other_patients():
    of = strata(a=40)
    assert draw_fraction(of, 0.5, 0) == draw_fraction(of, 0.5, 0) != draw_fraction(of, 0.5, 1)


def test_a_word_that_most_images_have_is_that_of_the_patient():
    assert join_values(["b", "a", "a", None]) == "a"
    with pytest.raises(ValueError, match="numbers or words, got"):
        join_values(["a", 1.0])


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, math.nan])
def test_what_is_no_fraction_is_refused(fraction):
    with pytest.raises(ValueError, match=r"fraction must lie in \(0, 1\], got"):
        draw_fraction(strata(a=4), fraction)
