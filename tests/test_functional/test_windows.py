import numpy as np
import pytest

from mammography.functional.windows import (
    WindowGrid,
    mean_of_covering,
    window_means,
)


@pytest.mark.parametrize("size", [(64, 50), (1152, 896), (33, 31), (5, 8)])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_windows_reach_both_edges_as_nearly_as_the_stride_allows(size, stride):
    grid = WindowGrid(size, 32, stride)
    for axis in (0, 1):
        centres = grid.centres(axis)
        before, after = centres[0], size[axis] - centres[-1]
        assert len(centres) == grid.shape[axis]
        assert 0 <= before <= after <= before + 1
        assert before + after < stride
        assert set(np.diff(centres)) <= {stride}


def test_published_grid_has_one_window_more_than_strides_fit():
    assert WindowGrid((1152, 896), 224, 8).shape == (145, 113)


def test_matrix_takes_the_middle_of_a_place_to_the_centre_of_its_window():
    grid = WindowGrid((70, 50), 32, 16)
    for row, column in [(0, 0), (4, 3), (2, 1)]:
        x, y = grid.to_pixels() @ (column + 0.5, row + 0.5, 1)
        left, top, right, bottom = grid.box(row, column)
        assert (x, y) == ((left + right) / 2, (top + bottom) / 2)


def test_means_are_those_of_the_windows_cut_out():
    image, grid = np.random.default_rng(0).random((70, 51)), WindowGrid((70, 51), 32, 8)
    canvas = np.pad(image, 16)
    expected = [
        [canvas[y : y + 32, x : x + 32].mean() for x in grid.centres(1)] for y in grid.centres(0)
    ]
    assert window_means(image, grid) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_mean_of_covering_windows_is_that_of_all_that_hold_the_centre(stride):
    grid = WindowGrid((90, 75), 32, stride)
    heat = np.random.default_rng(0).random(grid.shape)
    boxes = {place: grid.box(*place) for place in np.ndindex(grid.shape)}
    expected = np.empty(grid.shape)
    for row, column in boxes:
        x, y = grid.centres(1)[column], grid.centres(0)[row]
        covering = [
            heat[place]
            for place, (left, top, right, bottom) in boxes.items()
            if left < x < right and top < y < bottom
        ]
        expected[row, column] = np.mean(covering)
    assert mean_of_covering(heat, grid) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((0, 5), 32, 8), "image_hw must be >= 1"),
        (((5, 5), 31, 8), "window even"),
        (((5, 5), 32, 33), "stride must be 1 to window=32, got 33"),
        (((5, 5), 32, 0), "stride must be 1 to window=32, got 0"),
    ],
)
def test_windows_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        WindowGrid(*arguments)
