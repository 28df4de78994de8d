import math

import numpy as np
import pytest

from mammography.functional.phantom_breast import LesionMix, PhantomBreast, plan_breast
from mammography.functional.phantom_lesion import Lesion, LesionKind
from mammography.functional.phantom_shape import BreastShape, project
from mammography.terms import Laterality, ViewPosition

MIX = LesionMix(benign_rate=0.4, calcification_rate=0.25, contrast=1.0)
SHAPE = BreastShape()


def breasts(malignant, mix=MIX, count=800):
    return [
        plan_breast(np.random.default_rng(seed), Laterality.LEFT, SHAPE, malignant, mix)
        for seed in range(count)
    ]


def test_a_healthy_breast_has_no_cancer_and_an_ill_one_exactly_one():
    for malignant in (False, True):
        counts = {sum(x.malignant for x in b.lesions) for b in breasts(malignant)}
        assert counts == {int(malignant)}


def test_rates_are_those_of_the_mix():
    healthy = breasts(False)
    lesions = [lesion for breast in healthy for lesion in breast.lesions]
    assert np.mean([bool(b.lesions) for b in healthy]) == pytest.approx(0.4, abs=0.05)
    share = np.mean([x.kind is LesionKind.CALCIFICATION for x in lesions])
    assert share == pytest.approx(0.25, abs=0.06)


def test_benign_lesions_are_as_frequent_beside_cancer():
    beside, alone = (
        np.mean([any(not x.malignant for x in b.lesions) for b in breasts(ill)])
        for ill in (True, False)
    )
    assert beside == pytest.approx(alone, abs=0.06)


def test_contrast_of_the_mix_is_a_factor():
    faint = breasts(True, LesionMix(0.0, 0.0, 0.5), 20)
    clear = breasts(True, LesionMix(0.0, 0.0, 2.0), 20)
    for one, other in zip(faint, clear, strict=True):
        assert 4 * one.lesions[0].contrast == pytest.approx(other.lesions[0].contrast)


def test_two_lesions_of_a_breast_lie_apart_in_both_views():
    for breast in breasts(True, LesionMix(1.0, 0.3, 1.0), 200):
        for i, one in enumerate(breast.lesions):
            for other in breast.lesions[:i]:
                for view in (ViewPosition.CC, ViewPosition.MLO):
                    a, b = (project(SHAPE, view, x.position) for x in (one, other))
                    assert math.dist(a, b) > (one.size_mm + other.size_mm) / 2


def test_size_is_that_of_the_largest_mass_and_absent_without_one():
    masses = [Lesion(LesionKind.MASS, False, size) for size in (12.34, 9.0)]
    dots = Lesion(LesionKind.CALCIFICATION, True, 18.0)
    assert PhantomBreast(Laterality.LEFT, SHAPE, (*masses, dots), 4).mass_size_mm == 12.3
    assert PhantomBreast(Laterality.LEFT, SHAPE, (dots,), 4).mass_size_mm is None


def test_birads_rises_with_suspicion():
    groups = {
        "nothing": {b.birads for b in breasts(False) if not b.lesions},
        "benign": {b.birads for b in breasts(False) if b.lesions},
        "cancer": {b.birads for b in breasts(True)},
    }
    assert groups == {"nothing": {1}, "benign": {2, 3, 4}, "cancer": {4, 5}}
