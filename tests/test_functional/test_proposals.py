import numpy as np
import pytest
import torch

from mammography.functional.proposals import cut_crops, place_crops, propose_windows


def by_hand(evidence: np.ndarray, height: int, width: int, count: int) -> list[list[int]]:
    """Choose windows by looking at every one of them."""
    evidence = evidence.copy()
    rows, columns = (n - m + 1 for n, m in zip(evidence.shape, (height, width), strict=True))
    chosen = []
    for _ in range(count):
        sums = {
            (row, column): evidence[row : row + height, column : column + width].sum()
            for row in range(rows)
            for column in range(columns)
        }
        row, column = max(sums, key=sums.get)
        evidence[row : row + height, column : column + width] = 0
        chosen.append([row, column])
    return chosen


@pytest.mark.parametrize("size_hw", [(4, 4), (3, 5), (1, 1)])
def test_all_windows_of_a_batch_are_those_found_by_hand(size_hw):
    torch.manual_seed(0)
    evidence = torch.rand(5, 23, 15)
    ours = propose_windows(evidence, size_hw, 6)
    theirs = [by_hand(each.double().numpy(), *size_hw, 6) for each in evidence]
    assert ours.tolist() == theirs
    assert ours.dtype == torch.int64


def test_planted_spots_are_found_in_the_order_of_their_brightness():
    spots = {(2, 3): 0.9, (10, 1): 0.8, (30, 20): 0.7, (41, 25): 0.6, (20, 10): 0.5, (5, 24): 0.4}
    evidence = torch.zeros(1, 46, 30)
    for (row, column), brightness in spots.items():
        evidence[0, row : row + 4, column : column + 4] = brightness
    assert propose_windows(evidence, (4, 4), 6)[0].tolist() == [list(spot) for spot in spots]


def test_equal_windows_are_chosen_by_rows_and_none_twice():
    windows = propose_windows(torch.zeros(2, 8, 8), (4, 4), 4)
    assert windows.tolist() == [[[0, 0], [0, 4], [4, 0], [4, 4]]] * 2
    assert propose_windows(torch.full((1, 2, 2), 0.5), (2, 2), 3).tolist() == [[[0, 0]] * 3]


def test_evidence_stays_as_it_is():
    evidence = torch.rand(1, 5, 5)
    before = evidence.clone()
    propose_windows(evidence, (2, 2), 3)
    assert torch.equal(evidence, before)


@pytest.mark.parametrize("size_hw", [(6, 2), (2, 6), (0, 2)])
def test_a_window_that_fits_no_map_is_refused(size_hw):
    with pytest.raises(ValueError, match=r"size_hw must fit into a map of \(5, 5\), got"):
        propose_windows(torch.rand(1, 5, 5), size_hw, 1)


def test_at_the_published_size_a_pixel_of_the_map_is_64_of_the_image():
    corners = torch.cartesian_prod(torch.arange(43), torch.arange(27))
    placed = place_crops(corners, (46, 30), (2944, 1920), (256, 256))
    assert torch.equal(placed, corners * 64)


def test_crops_lie_inside_of_images_of_any_size():
    corners = torch.cartesian_prod(torch.arange(7), torch.arange(5))
    placed = place_crops(corners, (7, 5), (401, 333), (128, 100))
    assert placed.min() == 0
    assert placed.amax(0).tolist() == [401 - 128, 333 - 100]
    inside = placed[(corners[:, 0] < 4) & (corners[:, 1] < 3)]
    assert inside[4].tolist() == [round(401 / 7), round(333 / 5)]


def test_a_crop_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match=r"image of \(64, 200\), got \(100, 100\): .* smaller"):
        place_crops(torch.zeros(1, 2, dtype=torch.int64), (4, 4), (64, 200), (100, 100))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_crops_are_slices_of_the_image(channels, layout):
    images = torch.rand(3, channels, 40, 30).contiguous(memory_format=layout)
    corners = torch.stack((torch.randint(33, (3, 4)), torch.randint(21, (3, 4))), dim=2)
    crops = cut_crops(images, corners, (8, 10))
    assert crops.shape == (3, 4, channels, 8, 10)
    for n in range(3):
        for k, (row, column) in enumerate(corners[n]):
            assert torch.equal(crops[n, k], images[n, :, row : row + 8, column : column + 10])


def test_gradients_of_crops_reach_the_pixels_they_show():
    images = torch.rand(1, 1, 4, 4, requires_grad=True)
    cut_crops(images, torch.tensor([[[0, 0], [1, 1]]]), (2, 2)).sum().backward()
    assert images.grad[0, 0].tolist() == [[1, 1, 0, 0], [1, 2, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
