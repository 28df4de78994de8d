import numpy as np
import pytest

from mammography.apis.heat_maps.figures import LocalisationFigures
from mammography.apis.heat_maps.seen import SeenImage
from mammography.functional.windows import WindowGrid
from mammography.structures.annotation import Finding, ImageRecord
from patch_network_case import CLASSES

GRID = WindowGrid((64, 64), window=32, stride=16)


def seen(places, findings):
    """Return an image whose map has a class and a probability at each of some places."""
    maps = np.zeros((5, *GRID.shape), np.float32)
    for name, row, column, probability in places:
        maps[CLASSES.index(name), row, column] = probability
    maps[0] = 1 - maps[1:].sum(axis=0)
    record = ImageRecord("a.png", findings=tuple(findings))
    image, breast = np.zeros((64, 64), np.float32), np.ones(GRID.shape)
    breast[:, 0] = 0.2
    return SeenImage(record, image, GRID, maps, CLASSES, breast, least_breast=0.25)


def at(row, column, label="mass", malignant=True):
    x, y = 16.0 * column, 16.0 * row
    return Finding((x - 8, y - 8, x + 8, y + 8), label, malignant)


def test_each_kind_of_lesion_is_looked_for_in_the_maps_of_its_classes():
    figures = LocalisationFigures(CLASSES)
    figures.add(
        seen(
            [("malignant_mass", 1, 1, 0.5), ("benign_mass", 1, 1, 0.3), ("benign_mass", 3, 1, 0.2)],
            [at(1, 1), at(1, 3, "calcification")],
        )
    )
    figures.add(seen([("malignant_calcification", 3, 3, 0.7)], [at(3, 3, "mass")]))
    figures.add(seen([("benign_mass", 2, 2, 0.4)], []))
    found = figures.summary()
    mass, calcification = found["mass"], found["calcification"]
    rates = mass["sensitivity_at_false_positives_per_image"]
    assert (mass["lesions"], mass["images_with_lesions"], mass["images"]) == (2, 2, 3)
    assert list(rates.values()) == [0.5] * 5  # the second mass is seen as a calcification
    assert mass["pointing_game"] == 0.5
    assert calcification["sensitivity_at_false_positives_per_image"]["4"] == 0
    assert found["any"]["sensitivity_at_false_positives_per_image"]["1"] == pytest.approx(2 / 3)
    assert found["any"]["pointing_game"] == 1


def test_false_marks_are_also_counted_on_normal_images_alone():
    figures = LocalisationFigures(CLASSES)
    figures.add(seen([("benign_mass", 1, 1, 0.5), ("benign_mass", 3, 3, 0.9)], [at(1, 1)]))
    figures.add(seen([("benign_mass", 2, 2, 0.4)], []))
    mass = figures.summary()["mass"]
    assert mass["sensitivity_at_false_positives_per_image"]["0.25"] == 0
    assert mass["sensitivity_at_false_positives_per_normal_image"]["0.25"] == 1


def test_overlap_is_that_of_the_places_from_one_half_on():
    figures = LocalisationFigures(CLASSES)
    everywhere = [("benign_mass", r, c, 0.6) for r in range(5) for c in range(5)]
    figures.add(seen(everywhere, [Finding((32.0, 0.0, 64.0, 64.0), "mass", None)]))
    # The windows over the left edge hold too little breast: from there the map rises to 0.6 at
    # 16 pixels, and passes one half at 13.3.
    expected = 32 / (64 - 16 * 0.5 / 0.6)
    assert figures.summary()["mass"]["mean_iou_at_0.5"] == pytest.approx(expected, abs=0.02)


def test_where_there_is_hardly_any_breast_no_lesion_is_seen():
    outside = seen([("benign_mass", 2, 0, 0.9), ("benign_mass", 2, 3, 0.4)], [at(2, 3)])
    assert outside.lesion_map()[2].tolist() == pytest.approx([0, 0, 0, 0.4, 0])
    figures = LocalisationFigures(CLASSES)
    figures.add(outside)
    assert figures.summary()["mass"]["pointing_game"] == 1


def test_without_lesions_there_are_no_figures():
    figures = LocalisationFigures(CLASSES)
    figures.add(seen([], []))
    assert figures.summary() == {}


def test_scores_behind_the_figures_carry_their_patients():
    figures = LocalisationFigures(CLASSES)
    figures.add(
        seen([("benign_mass", 1, 1, 0.5), ("benign_mass", 3, 3, 0.75)], [at(1, 1), at(4, 4)])
    )
    figures.add(seen([("benign_mass", 2, 2, 0.25)], []))
    figures.patients = ["p1", "p2"]
    assert figures.scores()["mass"] == {
        "lesion_scores": [0.5, None],
        "lesion_patients": ["p1", "p1"],
        "false_scores": [0.75, 0.25],
        "false_patients": ["p1", "p2"],
        "image_patients": ["p1", "p2"],
    }
