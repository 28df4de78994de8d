import matplotlib
import numpy as np
import pytest

from mammography.functional.overlay import draw_boxes, draw_overlay, resample_map
from mammography.functional.windows import WindowGrid

RNG = np.random.default_rng(0)


def test_where_the_map_is_zero_the_image_stays_as_it_is():
    image = RNG.random((7, 5))
    picture = draw_overlay(image, np.zeros((7, 5)))
    assert np.array_equal(picture, np.round(255 * image)[..., None].repeat(3, -1).astype(np.uint8))


def test_colours_are_those_of_matplotlib_in_red_green_blue():
    levels = np.linspace(0, 1, 256)[None]
    expected = matplotlib.colormaps["inferno"](levels)[..., :3]
    share = levels[..., None]
    blended = (1 - share) * 0.25 + share * expected
    picture = draw_overlay(np.full((1, 256), 0.25), levels, opacity=1)
    assert np.abs(picture / 255 - blended).max() < 0.01


def test_hotter_places_differ_more_from_the_image():
    image, heat = np.full((1, 5), 0.2), np.linspace(0, 1, 5)[None]
    apart = np.abs(draw_overlay(image, heat).astype(int) - 51).sum(-1)[0]
    assert (np.diff(apart) > 0).all()


def test_resampled_map_has_its_values_at_the_centres_of_the_windows():
    grid = WindowGrid((96, 80), window=32, stride=16)
    heat = RNG.random((2, *grid.shape)).astype(np.float32)
    full = resample_map(heat, grid.to_pixels(), (96, 80))
    assert full.shape == (2, 96, 80)
    for row in (1, 3, 5):
        for column in (1, 2, 4):
            y, x = grid.centres(0)[row], grid.centres(1)[column]
            # The centre is a corner of four pixels.
            around = full[:, y - 1 : y + 1, x - 1 : x + 1].mean(axis=(1, 2))
            near = heat[:, row - 1 : row + 2, column - 1 : column + 2]
            assert around == pytest.approx(heat[:, row, column], abs=float(np.ptp(near)) / 16)


def test_resampled_ramp_is_a_ramp():
    grid = WindowGrid((64, 64), window=32, stride=8)
    ramp = np.tile(grid.centres(1), (grid.shape[0], 1))
    full = resample_map(ramp, grid.to_pixels(), (64, 64))
    assert full[10] == pytest.approx(np.arange(64) + 0.5, abs=0.3)


def test_boxes_are_outlined_and_nothing_else_is_touched():
    picture = np.zeros((10, 12, 3), np.uint8)
    drawn = draw_boxes(picture, [(2.0, 3.0, 8.0, 9.0)], [(255, 0, 0)])
    expected = np.zeros((10, 12), bool)
    expected[3:9, 2:8] = True
    expected[4:8, 3:7] = False
    assert np.array_equal(drawn[..., 0] == 255, expected)
    assert not drawn[..., 1:].any()
    assert not picture.any()


@pytest.mark.parametrize(
    ("image", "heat", "options", "message"),
    [
        (np.zeros((2, 3)), np.zeros((3, 2)), {}, r"alike, got \(2, 3\), \(3, 2\)"),
        (np.full((2, 2), 2.0), np.zeros((2, 2)), {}, r"image must lie in \[0, 1\], got 2 to 2"),
        (np.zeros((2, 2)), np.full((2, 2), -1.0), {}, r"heat must lie in \[0, 1\]"),
        (np.zeros((2, 2)), np.zeros((2, 2)), {"opacity": 2}, "opacity must lie"),
        (np.zeros((2, 2)), np.zeros((2, 2)), {"palette": "x"}, "must be an OpenCV colour map"),
    ],
)
def test_what_cannot_be_drawn_is_refused(image, heat, options, message):
    with pytest.raises(ValueError, match=message):
        draw_overlay(image, heat, **options)
