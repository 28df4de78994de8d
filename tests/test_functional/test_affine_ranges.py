from collections import Counter

import numpy as np
import pytest
import torch
from scipy import stats
from torchvision.transforms import RandomResizedCrop

from mammography.functional.affine import AffineParameters, affine_matrix, warp_affine
from mammography.functional.affine_ranges import AffineRanges, draw_crop_box


def test_crop_windows_are_distributed_as_in_torchvision():
    rng, size = np.random.default_rng(1), (1800, 1000)
    ours = np.array([draw_crop_box(rng, size, (0.5, 0.9), (0.5, 0.75)) for _ in range(1500)])
    torch.manual_seed(1)
    image = torch.empty(1, *size)
    theirs = np.array(
        [RandomResizedCrop.get_params(image, (0.5, 0.9), (0.5, 0.75)) for _ in range(1500)]
    )
    width, height = ours[:, 2] - ours[:, 0], ours[:, 3] - ours[:, 1]
    for mine, other in (
        (width * height, theirs[:, 2] * theirs[:, 3]),
        (width / height, theirs[:, 3] / theirs[:, 2]),
        (ours[:, 0], theirs[:, 1]),
        (ours[:, 1], theirs[:, 0]),
    ):
        assert stats.ks_2samp(mine, other).pvalue > 0.01
    assert (ours[:, :2] >= 0).all()
    assert (ours[:, 2:] <= (1000, 1800)).all()


@pytest.mark.parametrize("size", [(300, 100), (100, 300)])
def test_a_shape_that_never_fits_gives_the_largest_central_window(size):
    area, ratio = (1.0, 1.0), (0.9, 1.1)
    left, top, right, bottom = draw_crop_box(np.random.default_rng(0), size, area, ratio)
    row, column, height, width = RandomResizedCrop.get_params(torch.empty(1, *size), area, ratio)
    np.testing.assert_allclose(
        (top, left, bottom - top, right - left), (row, column, height, width), atol=1
    )


def test_zero_ranges_draw_nothing():
    assert AffineRanges().draw(np.random.default_rng(0), (5, 5)) == AffineParameters()


def test_the_same_seed_draws_the_same_parameters():
    ranges = AffineRanges(flip_prob=0.5, rotation_deg=20, area=(0.5, 0.9))
    draws = [ranges.draw(np.random.default_rng(3), (50, 40)) for _ in range(2)]
    assert draws[0] == draws[1]


def test_deformation_acts_with_its_probability():
    ranges = AffineRanges(deform_prob=0.3, rotation_deg=20)
    rng = np.random.default_rng(0)
    turned = [ranges.draw(rng, (5, 5)).rotation_deg != 0 for _ in range(1000)]
    assert 0.25 < np.mean(turned) < 0.35


def flips(ranges, draws=400):
    """Count how an image of four different pixels comes out."""
    rng, image = np.random.default_rng(0), np.array([[1, 2], [3, 4]], np.float32)
    found = Counter()
    for _ in range(draws):
        matrix = affine_matrix(ranges.draw(rng, (2, 2)), (2, 2), (2, 2))
        found[tuple(warp_affine(image, matrix, (2, 2), "nearest").ravel().astype(int))] += 1
    return found


def test_both_flips_give_the_four_mirror_images_of_numpy_evenly():
    found = flips(AffineRanges(flip_prob=0.5, vertical_flip_prob=0.5))
    image = np.array([[1, 2], [3, 4]])
    wanted = (image, image[:, ::-1], image[::-1], image[::-1, ::-1])
    assert set(found) == {tuple(mirrored.ravel().tolist()) for mirrored in wanted}
    assert stats.chisquare(list(found.values())).pvalue > 0.001


@pytest.mark.parametrize("deform_prob", [0.0, 1.0])
def test_a_vertical_flip_is_one_from_top_to_bottom_with_and_without_other_changes(deform_prob):
    ranges = AffineRanges(vertical_flip_prob=1.0, deform_prob=deform_prob)
    assert set(flips(ranges, 10)) == {(3, 4, 1, 2)}


def test_without_a_vertical_flip_a_seed_draws_what_it_always_drew():
    ranges = AffineRanges(flip_prob=0.5, rotation_deg=20)
    rng = np.random.default_rng(5)
    flip = bool(rng.random() < 0.5)
    rng.random()  # Whether the rest acts.
    rng.uniform(-1, 1, 4)  # Shear and translation.
    rng.uniform(0, 0)  # Zoom.
    drawn = ranges.draw(np.random.default_rng(5), (9, 9))
    assert (drawn.flip, drawn.rotation_deg) == (flip, rng.uniform(-20, 20))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vertical_flip_prob", -0.1),
        ("flip_prob", 1.5),
        ("rotation_deg", -3),
        ("zoom", (0, 1)),
        ("area", (0.5, 1.2)),
        ("aspect_ratio", (2, 1)),
    ],
)
def test_an_impossible_range_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} must"):
        AffineRanges(**{name: value})
