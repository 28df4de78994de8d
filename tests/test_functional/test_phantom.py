from dataclasses import replace

import cv2
import numpy as np
import pytest

from mammography.functional.phantom import draw_phantom, place_lesions
from mammography.functional.phantom_study import PhantomStudy, plan_patient, plan_view
from mammography.terms import Laterality
from phantoms import lesion, phantom_view


def inside_of(outline, size_hw):
    filled = np.zeros(size_hw, np.uint8)
    cv2.fillPoly(filled, [np.round((outline - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return filled.astype(bool)


def test_the_same_values_draw_the_same_pixels_and_another_seed_others():
    view = phantom_view(lesions=[lesion()])
    first, again = draw_phantom(view)[0], draw_phantom(view)[0]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, draw_phantom(replace(view, seed=(1,)))[0])


def test_a_right_breast_is_the_mirror_image_of_a_left_one_with_its_outlines():
    left = phantom_view("L", "MLO", [lesion("mass", True)])
    right = replace(left, laterality=Laterality.RIGHT)
    for one, other in zip(draw_phantom(left), draw_phantom(right), strict=True):
        np.testing.assert_array_equal(one[:, ::-1], other)
    width = left.size_hw[1]
    one, other = place_lesions(left)[0], place_lesions(right)[0]
    np.testing.assert_allclose(other.outline[:, 0], width - one.outline[:, 0])
    assert other.box == pytest.approx(
        (width - one.box[2], one.box[1], width - one.box[0], one.box[3])
    )


def test_lesions_change_nothing_but_where_they_lie():
    view = phantom_view(lesions=[lesion("mass", size_mm=12.0)], size_hw=(512, 416))
    added = draw_phantom(view)[0] - draw_phantom(replace(view, lesions=()))[0]
    inside = inside_of(place_lesions(view)[0].outline, view.size_hw)
    near = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))).astype(bool)
    assert not added[~near].any()
    assert added[inside].mean() > 0.5 * view.lesions[0].contrast


@pytest.mark.parametrize("malignant", [False, True])
def test_masses_are_brighter_than_the_tissue_around_them(malignant):
    differences = []
    for seed in range(12):
        view = phantom_view(lesions=[lesion("mass", malignant)], seed=seed, density=0.08 * seed)
        image = draw_phantom(view)[0]
        inside = inside_of(place_lesions(view)[0].outline, view.size_hw)
        ring = cv2.dilate(inside.astype(np.uint8), np.ones((25, 25))).astype(bool) & ~inside
        differences.append(image[inside].mean() - image[ring].mean())
    assert np.mean(differences) > 0.05
    assert np.mean(np.array(differences) > 0) > 0.8


@pytest.mark.parametrize("malignant", [False, True])
def test_calcifications_are_bright_dots(malignant):
    view = phantom_view(
        lesions=[lesion("calcification", malignant, contrast=0.35)], size_hw=(1024, 832)
    )
    added = draw_phantom(view)[0] - draw_phantom(replace(view, lesions=()))[0]
    inside = inside_of(place_lesions(view)[0].outline, view.size_hw)
    assert added.max() > 0.25
    assert 0.005 < (added[inside] > 0.15).mean() < 0.2
    assert not added[~cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))).astype(bool)].any()


def test_outlines_lie_inside_the_breast_over_a_whole_study():
    study = PhantomStudy(patients=30, image_size_hw=(256, 208), prevalence=0.5, benign_rate=0.7)
    count = 0
    for number in range(study.patients):
        patient = plan_patient(study, number)
        for laterality, position in patient.views:
            view = plan_view(study, patient, laterality, position)
            mask = draw_phantom(replace(view, lesions=()))[1] if view.lesions else None
            for placed in place_lesions(view):
                assert mask[inside_of(placed.outline, view.size_hw)].all()
                count += 1
    assert count > 80


@pytest.mark.parametrize("position", [(0.98, 0.0, 0.0), (0.9, 0.9, 0.9), (0.0, -0.9, -0.8)])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_lesion_planted_at_the_skin_or_the_chest_wall_is_moved_inside(view, position):
    for seed in range(5):
        planted = lesion("mass", True, size_mm=24.0, position=position)
        what = phantom_view(view=view, lesions=[planted], seed=seed)
        outline = place_lesions(what)[0].outline
        assert outline.min() > 0
        assert draw_phantom(what)[1][inside_of(outline, what.size_hw)].all()


def test_two_lesions_of_a_breast_do_not_overlap():
    study = PhantomStudy(patients=70, image_size_hw=(256, 208), prevalence=1.0, benign_rate=1.0)
    overlaps = []
    for number in range(study.patients):
        patient = plan_patient(study, number)
        for laterality, position in patient.views:
            view = plan_view(study, patient, laterality, position)
            filled = [inside_of(p.outline, view.size_hw) for p in place_lesions(view)]
            if len(filled) > 1:
                overlaps.append((np.sum(filled, axis=0) > 1).any())
    assert len(overlaps) > 100
    assert np.mean(overlaps) < 0.02


def test_a_lesion_is_seen_at_the_same_depth_in_both_views():
    study = PhantomStudy(patients=60, prevalence=1.0)
    depths = []
    for number in range(study.patients):
        patient = plan_patient(study, number)
        for breast in patient.breasts.values():
            if breast.malignant:
                views = [plan_view(study, patient, breast.laterality, v) for v in ("CC", "MLO")]
                depths.append([place_lesions(v)[0].center_mm[0] for v in views])
    assert np.corrcoef(np.transpose(depths))[0, 1] > 0.8


def test_any_image_size_shows_the_same_outlines():
    small = phantom_view(lesions=[lesion("mass", True)], size_hw=(128, 104))
    large = replace(small, size_hw=(512, 416))
    np.testing.assert_allclose(
        4 * place_lesions(small)[0].outline, place_lesions(large)[0].outline, rtol=1e-9
    )
    coarse, fine = (draw_phantom(view)[1].mean() for view in (small, large))
    assert coarse == pytest.approx(fine, abs=0.005)
