import numpy as np
import pytest
import torch
from torchvision.ops import box_iou as reference_box_iou

from mammography.functional.localisation import (
    Marks,
    box_iou,
    find_peaks,
    froc,
    mask_iou,
    pointing_game,
    points_in_boxes,
)


def marks(scores, hits, lesions):
    return Marks(np.array(scores, float), np.array(hits, bool).reshape(len(scores), lesions))


def random_study(seed, images=30):
    """Return images with 0 to 3 lesions and 0 to 6 marks, many of equal scores."""
    rng = np.random.default_rng(seed)
    study = []
    for _ in range(images):
        marked, lesions = int(rng.integers(7)), int(rng.integers(4))
        hits = rng.random((marked, lesions)) < 0.25
        study.append(Marks(rng.integers(6, size=marked) / 5, hits))
    return study


def by_counting(study, threshold, on):
    """Return sensitivity and false marks per image, counted one by one."""
    lesions = found = false = counted = 0
    for image in study:
        drawn = [d for d, score in enumerate(image.scores) if score >= threshold]
        for lesion in range(image.hits.shape[1]):
            lesions += 1
            found += any(image.hits[d, lesion] for d in drawn)
        if on == "normal" and image.hits.shape[1]:
            continue
        counted += 1
        for d in drawn:
            false += not any(image.hits[d])
    return found / lesions, false / counted


@pytest.mark.parametrize("on", ["all", "normal"])
@pytest.mark.parametrize("seed", range(5))
def test_every_point_of_the_curve_is_what_counting_gives(seed, on):
    study = random_study(seed)
    curve = froc(study, on=on)
    assert list(curve.thresholds) == sorted({s for m in study for s in m.scores}, reverse=True)
    for threshold, *point in zip(
        curve.thresholds, curve.sensitivity, curve.false_positives, strict=True
    ):
        assert point == pytest.approx(by_counting(study, threshold, on))


def test_second_mark_in_a_lesion_is_neither_found_nor_false():
    once = froc([marks([0.9], [[1]], 1), marks([0.4], [], 0)])
    twice = froc([marks([0.9, 0.8, 0.7], [[1], [1], [1]], 1), marks([0.4], [], 0)])
    assert twice.sensitivity_at(0) == once.sensitivity_at(0) == 1
    assert twice.false_positives[-1] == once.false_positives[-1] == 0.5


def test_mark_in_two_lesions_finds_both():
    assert froc([marks([0.9], [[1, 1, 0]], 3)]).sensitivity.tolist() == [pytest.approx(2 / 3)]


def test_lesion_without_a_mark_is_never_found():
    curve = froc([marks([0.9], [[1, 0]], 2), marks([], [], 1)])
    assert curve.sensitivity.tolist() == [pytest.approx(1 / 3)]
    assert curve.lesions == 3


def test_sensitivity_at_a_rate_is_that_of_a_threshold_and_not_between_two():
    study = [marks([0.9, 0.8, 0.7, 0.6], [[1, 0], [0, 0], [0, 0], [0, 1]], 2)]
    curve = froc(study)  # (0.5, 0), (0.5, 1), (0.5, 2), (1, 2)
    assert [curve.sensitivity_at(rate) for rate in (0, 1, 1.99, 2, 9)] == [0.5, 0.5, 0.5, 1, 1]
    assert froc([marks([0.9], [[0]], 1)]).sensitivity_at(0.5) == 0


def test_scores_of_another_scale_give_the_same_curve():
    study = random_study(7)
    scaled = [Marks(np.exp(3 * m.scores), m.hits) for m in study]
    first, second = froc(study), froc(scaled)
    assert np.array_equal(first.sensitivity, second.sensitivity)
    assert np.array_equal(first.false_positives, second.false_positives)


def test_without_lesions_or_normal_images_there_is_no_curve():
    with pytest.raises(ValueError, match=r"there must be lesions, .* got 0 and 1"):
        froc([marks([0.3], [], 0)])
    with pytest.raises(ValueError, match=r"count false marks on \(normal\), got 1 and 0"):
        froc([marks([0.3], [[1]], 1)], on="normal")
    with pytest.raises(ValueError, match="on must be 'all' or 'normal', got 'some'"):
        froc([marks([0.3], [[1]], 1)], on="some")


def test_marks_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match=r"got \(2,\) and \(1, 1\)"):
        Marks(np.zeros(2), np.zeros((1, 1), bool))
    with pytest.raises(ValueError, match="must be finite"):
        Marks(np.array([np.nan]), np.zeros((1, 1), bool))


def peaks_by_sorting(heat, radius, lowest):
    """Return the same from a sorted list of all places."""
    places = sorted(np.ndindex(heat.shape), key=lambda place: -heat[place])
    kept = []
    for place in places:
        near = any(np.hypot(place[0] - r, place[1] - c) <= radius for r, c in kept)
        if heat[place] > lowest and not near:
            kept.append(place)
    return [list(map(int, place)) for place in kept]


@pytest.mark.parametrize("radius", [0, 1, 2.3, 6])
def test_peaks_are_those_kept_in_order_of_height(radius):
    heat = np.random.default_rng(0).integers(30, size=(13, 9)) / 30
    found = find_peaks(heat, radius, lowest=0.2)
    assert found.tolist() == peaks_by_sorting(heat, radius, 0.2)


def test_flat_map_at_the_lowest_value_has_no_peak():
    assert find_peaks(np.zeros((4, 4)), 2).shape == (0, 2)


def test_points_on_an_edge_lie_in_the_box():
    inside = points_in_boxes([[1, 2], [3, 4], [3.1, 4], [2, 1.9]], [[1, 2, 3, 4], [0, 0, 9, 9]])
    assert inside.tolist() == [[True, True], [True, True], [False, True], [False, True]]
    assert points_in_boxes(np.empty((0, 2)), [[0, 0, 1, 1]]).shape == (0, 1)
    assert points_in_boxes([[0, 0]], []).shape == (1, 0)


def test_pointing_game_takes_the_highest_mark_of_images_with_lesions():
    study = [
        marks([0.2, 0.9], [[1], [0]], 1),
        marks([0.9, 0.2], [[0, 1], [0, 0]], 2),
        marks([], [], 1),
        marks([0.9], [], 0),
    ]
    assert pointing_game(study) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="must have a lesion"):
        pointing_game(study[3:])


def test_box_iou_is_that_of_torchvision():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 10, (2, 12, 2, 2))
    first, second = np.sort(corners, axis=2).reshape(2, 12, 4)
    expected = reference_box_iou(torch.from_numpy(first), torch.from_numpy(second))
    assert box_iou(first, second) == pytest.approx(expected.numpy())
    assert (expected > 0).sum() > 20


def test_boxes_without_area_share_nothing():
    assert box_iou([[1, 1, 1, 1]], [[1, 1, 1, 1]]).tolist() == [[0.0]]


def test_iou_of_masks_is_that_of_their_boxes():
    canvas = np.zeros((2, 20, 20), bool)
    canvas[0, 2:10, 3:12] = canvas[1, 5:15, 8:20] = True
    expected = box_iou([[3, 2, 12, 10]], [[8, 5, 20, 15]])[0, 0]
    assert mask_iou(*canvas) == pytest.approx(expected)
    assert np.isnan(mask_iou([False], [False]))
    with pytest.raises(ValueError, match=r"of one shape, got \(1,\) and \(2,\)"):
        mask_iou([True], [True, False])
