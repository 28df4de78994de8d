import numpy as np
import pytest
from scipy import ndimage

from mammography.functional.patch_overlap import Region, cut_patch

IMAGE_HW = (60, 50)


def blobs(seed):
    """Return a mask of irregular shape with holes, somewhere in an image."""
    rng = np.random.default_rng(seed)
    noise = ndimage.gaussian_filter(rng.normal(size=IMAGE_HW), 4)
    return noise > np.quantile(noise, rng.uniform(0.6, 0.98))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("patch_hw", [(16, 16), (9, 31), (100, 100)])
def test_overlap_is_the_larger_of_both_shares_counted_pixel_by_pixel(seed, patch_hw):
    mask, rng = blobs(seed), np.random.default_rng(seed)
    region = Region(mask)
    lefts, tops = rng.integers(-40, 60, 200), rng.integers(-40, 70, 200)
    padded = np.pad(mask, 200)
    for left, top, count, overlap in zip(
        lefts,
        tops,
        region.count(lefts, tops, patch_hw),
        region.overlap(lefts, tops, patch_hw),
        strict=True,
    ):
        rows = slice(200 + top, 200 + top + patch_hw[0])
        columns = slice(200 + left, 200 + left + patch_hw[1])
        common = padded[rows, columns].sum()
        assert count == common
        assert overlap == max(common / mask.sum(), common / (patch_hw[0] * patch_hw[1]))


@pytest.mark.parametrize("seed", range(4))
def test_centre_is_that_of_scipy_in_continuous_coordinates(seed):
    mask = blobs(seed)
    y, x = ndimage.center_of_mass(mask)
    assert Region(mask).centre == pytest.approx((x + 0.5, y + 0.5))


def test_a_part_of_the_image_gives_the_same_as_the_whole():
    mask = blobs(1)
    whole, part = Region(mask), Region(mask[7:, 5:], corner=(5, 7))
    mask[:7], mask[:, :5] = False, False
    cut = Region(mask)
    assert (part.box, part.area, part.centre) == (cut.box, cut.area, cut.centre)
    assert part.box != whole.box or part.area != whole.area
    assert (part.count([3, 20], [9, 30], (16, 16)) == cut.count([3, 20], [9, 30], (16, 16))).all()


def test_tables_of_regions_as_large_as_films_do_not_run_over():
    assert Region(np.ones((5000, 4000), bool)).count(0, 0, (5000, 4000)) == 20_000_000


def test_a_region_without_a_pixel_is_refused():
    with pytest.raises(ValueError, match="Region: mask must have a pixel that is set, got none"):
        Region(np.zeros((4, 4), bool))


@pytest.mark.parametrize(("left", "top"), [(3, 4), (-5, 4), (45, -7), (-200, 3), (30, 80)])
def test_patch_is_that_of_the_padded_image(left, top):
    image = np.random.default_rng(0).integers(1, 60000, IMAGE_HW).astype(np.uint16)
    padded = np.pad(image, 300)
    patch = cut_patch(image, left, top, (16, 24))
    assert patch.dtype == np.uint16
    assert (patch == padded[300 + top : 316 + top, 300 + left : 324 + left]).all()
    patch[:] = 0
    assert (image > 0).all(), "the patch must be a copy"
