import cv2
import numpy as np
import pytest
import torch

from mammography.functional.affine import (
    AffineParameters,
    affine_matrix,
    compose_affine,
    map_box,
    warp_affine,
)
from mammography.functional.affine_ranges import AffineRanges
from mammography.structures.geometry import ImageGeometry

RNG = np.random.default_rng(0)
IMAGE = RNG.random((60, 41), dtype=np.float32)
SMOOTH = cv2.GaussianBlur(RNG.random((80, 50), dtype=np.float32), (0, 0), 2)


def warp(image, out_hw, keep_ratio=True, anchor=0.5, **parameters):
    matrix = affine_matrix(AffineParameters(**parameters), image.shape, out_hw, keep_ratio, anchor)
    return warp_affine(image, matrix, out_hw)


def sample_with_torch(image, matrix, out_hw):
    """Warp by torch: another implementation, in coordinates from -1 to 1."""
    (h_in, w_in), (h_out, w_out) = image.shape, out_hw
    shift = np.array([[0, 0, -1], [0, 0, -1], [0, 0, 0]])
    in_to_unit = np.diag([2 / w_in, 2 / h_in, 1]) + shift
    out_to_unit = np.diag([2 / w_out, 2 / h_out, 1]) + shift
    square = np.vstack([matrix, [0, 0, 1]])
    theta = in_to_unit @ np.linalg.inv(square) @ np.linalg.inv(out_to_unit)
    grid = torch.nn.functional.affine_grid(
        torch.tensor(theta[None, :2]), (1, 1, *out_hw), align_corners=False
    )
    batch = torch.tensor(image, dtype=torch.float64)[None, None]
    return torch.nn.functional.grid_sample(batch, grid, align_corners=False)[0, 0].numpy()


def test_no_change_keeps_every_bit():
    assert np.array_equal(warp(IMAGE, IMAGE.shape), IMAGE)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_flip_mirrors_every_bit(dtype):
    image = (IMAGE * 200).astype(dtype)
    assert np.array_equal(warp(image, image.shape, flip=True), np.fliplr(image))


@pytest.mark.parametrize("quarters", [-1, 1, 2, 3])
def test_quarter_turns_move_whole_pixels_counter_clockwise(quarters):
    square = IMAGE[:41]
    turned = warp(square, square.shape, rotation_deg=90 * quarters)
    assert np.array_equal(turned, np.rot90(square, quarters))


@pytest.mark.parametrize("out_hw", [(160, 100), (97, 75), (60, 38)])
def test_plain_resize_agrees_with_opencv_away_from_the_border(out_hw):
    ours = warp(SMOOTH, out_hw, keep_ratio=False)
    theirs = cv2.resize(SMOOTH, out_hw[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(ours[2:-2, 2:-2], theirs[2:-2, 2:-2], atol=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_any_warp_agrees_with_torch_grid_sample(seed):
    ranges = AffineRanges(
        flip_prob=0.5,
        zoom=(0.8, 1.3),
        shear_deg=10,
        rotation_deg=180,
        translation=0.2,
        area=(0.6, 1),
    )
    parameters = ranges.draw(np.random.default_rng(seed), SMOOTH.shape)
    matrix = affine_matrix(parameters, SMOOTH.shape, (90, 70), keep_ratio=bool(seed % 2))
    ours = warp_affine(SMOOTH, matrix, (90, 70))
    np.testing.assert_allclose(ours, sample_with_torch(SMOOTH, matrix, (90, 70)), atol=2e-5)


def test_rotation_and_zoom_agree_with_opencv_matrix():
    ours = affine_matrix(AffineParameters(rotation_deg=17, zoom=1.2), (60, 40), (60, 40))
    theirs = cv2.getRotationMatrix2D((20, 30), 17, 1.2)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_steps_act_in_the_stated_order_about_the_centre_of_the_output():
    parameters = AffineParameters((4, 6, 24, 46), True, 1.5, (5.0, -3.0), 30.0, (0.1, -0.2))
    matrix = affine_matrix(parameters, (60, 40), (80, 40))
    x, y = (9 - 4) * 2 - 20, (11 - 6) * 2 - 40  # window, scale 2, about the centre
    x, y = -x * 1.5, y * 1.5
    x, y = x + np.tan(np.deg2rad(5)) * y, y + np.tan(np.deg2rad(-3)) * x
    angle = np.deg2rad(30)
    x, y = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    np.testing.assert_allclose(matrix @ (9, 11, 1), (x + 20 + 4, y + 40 - 16))


def test_keeping_the_ratio_leaves_room_where_the_anchor_says():
    image = np.ones((20, 10), np.float32)
    left = warp(image, (20, 30), anchor=0.0)
    assert left[:, :10].all()
    assert not left[:, 10:].any()
    assert np.array_equal(warp(image, (20, 30), anchor=1.0), np.fliplr(left))
    assert np.array_equal(warp(image, (20, 30), anchor=0.0, flip=True), np.fliplr(left))
    assert warp(image, (40, 10)).sum() == 200


def test_strong_shrinking_averages_instead_of_skipping_pixels():
    board = np.indices((96, 64)).sum(0).astype(np.float32) % 2
    assert np.ptp(warp(board, (24, 16))[1:-1, 1:-1]) < 1e-6
    np.testing.assert_allclose(
        warp(IMAGE[:60, :40], (15, 10)),
        cv2.resize(IMAGE[:60, :40], (10, 15), interpolation=cv2.INTER_AREA),
        atol=1e-6,
    )


def test_shrinking_an_indivisible_size_keeps_places():
    ramp = np.tile(np.arange(101, dtype=np.float32), (83, 1))
    ours = warp(ramp, (20, 25), keep_ratio=False)
    centres = (np.arange(25) + 0.5) * 101 / 25 - 0.5
    np.testing.assert_allclose(ours[10, 1:-1], centres[1:-1], atol=1e-3)


def test_shrinking_an_image_to_less_than_a_pixel_needs_no_more_memory_than_the_image():
    assert warp(np.ones((2000, 10), np.float32), (64, 32), zoom=1e-6).max() == 0


def test_bicubic_stays_within_the_range_of_the_image():
    step = np.zeros((20, 20), np.float32)
    step[:, 10:] = 1
    matrix = affine_matrix(AffineParameters(rotation_deg=3), (20, 20), (50, 50))
    warped = warp_affine(step, matrix, (50, 50), "bicubic")
    assert 0 <= warped.min() <= warped.max() <= 1


def test_boxes_map_as_the_geometry_of_the_preparation_maps_them():
    geometry = ImageGeometry((100, 80), (10, 20, 50, 100), (0.5, 0.5), flipped=True)
    matrix = affine_matrix(AffineParameters((10, 20, 50, 100), flip=True), (100, 80), (40, 20))
    assert map_box(matrix, (12, 30, 40, 60)) == geometry.to_prepared((12, 30, 40, 60))


def test_composed_matrices_act_one_after_the_other():
    first = affine_matrix(AffineParameters(rotation_deg=20), (60, 40), (50, 50))
    second = affine_matrix(AffineParameters(zoom=2, flip=True), (50, 50), (30, 20))
    point = np.array([7.0, 11.0, 1.0])
    np.testing.assert_allclose(
        compose_affine(second, first) @ point, second @ [*(first @ point), 1]
    )
