"""Outlines against the masks they were traced from, and against other rasterisers."""

import cv2
import numpy as np
import pytest
from matplotlib.path import Path as Polygon
from scipy import ndimage

from golden import shared_data
from mammography.functional.outlines import drop_specks, fill_outline, mask_box, trace_outline


def blob(size, seed, around=0):
    """A lobed region of about ``size`` pixels across, with spicules."""
    rng, half = np.random.default_rng(seed), size + around
    y, x = np.mgrid[-half:half, -half:half] + 0.5
    angle = np.arctan2(y, x)
    waves = [rng.normal(0, 0.12 / k) * np.cos(k * angle + rng.uniform(0, 7)) for k in range(1, 12)]
    return np.hypot(x, y) < size / 2 * (1 + sum(waves))


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [10, 30, 100, 400])
def test_an_outline_of_few_points_fills_to_the_mask(size, seed):
    mask = blob(size, seed)
    points = trace_outline(mask)
    assert overlap(fill_outline(points, mask.shape), mask) >= 0.99
    assert len(points) <= 40
    left, top, right, bottom = mask_box(mask)
    assert points.min(0) == pytest.approx((left, top), abs=size / 30)
    assert points.max(0) == pytest.approx((right, bottom), abs=size / 30)


def test_any_mask_has_an_outline_that_fills_to_exactly_the_mask_without_holes():
    rng = np.random.default_rng(0)
    for _ in range(500):
        mask = rng.random(rng.integers(1, 15, 2)) < rng.uniform(0.1, 0.9)
        if mask.any():
            points = trace_outline(mask, overlap=1.0)
            expected = ndimage.binary_fill_holes(mask)  # One open at a corner is one.
            assert np.array_equal(fill_outline(points, mask.shape), expected)


def test_real_outlines_of_tissue_fill_to_their_masks():
    folder = shared_data("ddsm_tissue")
    found = 0
    for path in sorted(folder.rglob("fgt_seg_labels/*.*"))[:20]:
        labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        for tissue in (192, 255):  # Ragged fibroglandular tissue, and the pectoral muscle.
            if (labels == tissue).sum() < 100:
                continue
            mask, _ = drop_specks(labels == tissue)
            filled = fill_outline(trace_outline(mask), mask.shape)
            assert overlap(filled, ndimage.binary_fill_holes(mask)) >= 0.989
            found += 1
    assert found >= 20


def test_the_outline_lies_where_the_pixels_end():
    mask = np.zeros((40, 30), bool)
    mask[5:9, 10:20] = True
    assert mask_box(mask) == (10, 5, 20, 9)
    points = trace_outline(mask)
    assert (*points.min(0), *points.max(0)) == (10, 5, 20, 9)
    assert fill_outline(points, mask.shape).sum() == 40


def test_a_single_pixel_has_an_outline_and_an_empty_mask_has_none():
    mask = np.zeros((5, 5), bool)
    with pytest.raises(ValueError, match="must have a pixel that is set"):
        trace_outline(mask)
    mask[4, 2] = True
    assert np.array_equal(fill_outline(trace_outline(mask), (5, 5)), mask)


def test_parts_are_one_polygon_whose_bridges_have_no_area():
    mask = np.zeros((300, 300), bool)
    for at, size in (((0, 0), 90), ((150, 160), 60), ((10, 200), 30), ((260, 20), 5)):
        part = blob(size, seed=size)
        mask[at[0] : at[0] + 2 * size, at[1] : at[1] + 2 * size] |= part[:300, :300][
            : 300 - at[0], : 300 - at[1]
        ]
    points = trace_outline(mask)
    filled = fill_outline(points, mask.shape)
    assert overlap(filled, mask) >= 0.99
    # Every part is there, and after scaling and mirroring no bridge shows either.
    assert ndimage.label(filled)[1] == ndimage.label(mask)[1] == 4
    mirrored = np.round(0.37 * (points * (-1, 1) + (300, 0)), 3)
    mirrored = fill_outline(mirrored, (111, 111))
    assert ndimage.label(mirrored)[1] == 4


def test_filling_takes_the_centres_that_lie_inside():
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:20, :30] + 0.5
    for corners in (3, 4, 7):
        points = rng.uniform(-5, 30, (corners, 2))
        angle = np.arctan2(*(points - points.mean(0)).T)
        points = points[np.argsort(angle)]  # A star: it does not cross itself.
        inside = Polygon(points).contains_points(np.c_[x.ravel(), y.ravel()])
        assert np.array_equal(fill_outline(points, (20, 30)), inside.reshape(20, 30))
    assert not fill_outline([(100, 100), (120, 100), (110, 130)], (20, 30)).any()


def test_specks_are_dropped_and_parts_are_kept():
    mask = np.zeros((100, 100), bool)
    mask[10:60, 10:60] = True
    mask[80:86, 80:86] = True  # 1.4 % of the largest part.
    speckled = mask.copy()
    speckled[5, 90] = speckled[95, 3] = True
    kept, specks = drop_specks(speckled)
    assert (specks, np.array_equal(kept, mask)) == (2, True)
    assert drop_specks(mask) == (mask, 0)
    assert mask_box(kept) == (10, 10, 86, 86)
