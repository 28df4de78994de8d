import cv2
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from mammography.functional.phantom_lesion import add_lesion, shape_lesion
from phantoms import lesion

KINDS = [(kind, ill) for kind in ("mass", "calcification") for ill in (False, True)]


def form_of(what, seed):
    return shape_lesion(np.random.default_rng(seed), what)


def solidity(outline):
    """Area over that of the convex hull: 1 for an oval."""
    points = outline.astype(np.float32)
    return cv2.contourArea(points) / cv2.contourArea(cv2.convexHull(points))


@pytest.mark.parametrize(("kind", "malignant"), KINDS)
def test_outline_spans_exactly_the_size_asked_for(kind, malignant):
    for seed, size in enumerate((6.0, 14.0, 26.0)):
        outline = form_of(lesion(kind, malignant, size_mm=size), seed).outline
        assert pdist(outline).max() == pytest.approx(size, rel=1e-6)


def test_malignant_margins_are_rougher_than_any_benign_margin():
    rough, smooth = (
        [solidity(form_of(lesion("mass", ill), seed).outline) for seed in range(60)]
        for ill in (True, False)
    )
    assert max(rough) < min(smooth)
    assert min(smooth) > 0.98


def test_only_malignant_masses_have_spicules_and_these_leave_the_core():
    assert len(form_of(lesion("mass"), 0).spicules) == 0
    form = form_of(lesion("mass", True), 0)
    reach = np.hypot(*form.outline.T).max()
    tips = np.hypot(*form.spicules[:, 2:4].T)
    assert (tips > reach).sum() >= 5


def test_malignant_calcifications_are_finer_and_more_than_benign_ones():
    def area(form):
        return np.mean([cv2.contourArea(s.astype(np.float32)) for s in form.specks])

    for seed in range(30):
        fine = form_of(lesion("calcification", True), seed)
        coarse = form_of(lesion("calcification"), seed)
        assert len(fine.specks) > len(coarse.specks)
        assert area(fine) < area(coarse)


@pytest.mark.parametrize("malignant", [False, True])
def test_every_calcification_lies_in_the_outline(malignant):
    form = form_of(lesion("calcification", malignant), 3)
    hull = form.outline.astype(np.float32)[:, None]
    points = np.concatenate(form.specks)
    assert min(cv2.pointPolygonTest(hull, p.tolist(), True) for p in points) > -1e-3


@pytest.mark.parametrize(("kind", "malignant"), KINDS)
def test_brightness_added_does_not_depend_on_the_pixel_size(kind, malignant):
    what = lesion(kind, malignant, size_mm=16.0, contrast=0.3)
    sums = []
    for spacing in (0.2, 0.4, 0.8):
        image = np.zeros((round(80 / spacing),) * 2, np.float32)
        add_lesion(image, form_of(what, 1), what, (40.0, 40.0), spacing)
        sums.append(image.sum() * spacing**2)
    assert sums == pytest.approx([sums[0]] * 3, rel=0.15)


def test_lesion_lies_where_its_outline_says():
    what = lesion("mass", size_mm=16.0, contrast=1.0)
    form = form_of(what, 2)
    image = np.zeros((240, 200), np.float32)
    add_lesion(image, form, what, (24.0, 36.0), 0.25)
    drawn = np.argwhere(image > 0.2)[:, ::-1] * 0.25 - (24.0, 36.0) + 0.125
    assert drawn.min(axis=0) == pytest.approx(form.outline.min(axis=0), abs=0.6)
    assert drawn.max(axis=0) == pytest.approx(form.outline.max(axis=0), abs=0.6)


def test_lesion_across_the_border_is_cut_off_not_moved():
    what = lesion("mass", True, contrast=1.0)
    form = form_of(what, 4)
    whole = np.zeros((200, 200), np.float32)
    add_lesion(whole, form, what, (50.0, 50.0), 0.5)
    part = np.zeros((100, 120), np.float32)
    add_lesion(part, form, what, (50.0, 50.0), 0.5)
    np.testing.assert_array_equal(part, whole[:100, :120])


def test_lesion_outside_the_image_changes_nothing():
    image = np.zeros((20, 20), np.float32)
    add_lesion(image, form_of(lesion(), 0), lesion(), (90.0, 90.0), 0.5)
    assert not image.any()
