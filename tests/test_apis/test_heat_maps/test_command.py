import json

import cv2
import numpy as np
import pytest
import torch

from mammography.apis.config import UsageError
from mammography.apis.heat_maps.command import make_heat_maps
from mammography.apis.heat_maps.network import load_patch_network
from mammography.functional.localisation import find_peaks
from mammography.functional.png16 import decode_png16
from mammography.functional.windows import WindowGrid, mean_of_covering
from patch_network_case import CLASSES, GEOMETRY, SIZE_HW, write_images, write_network


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Return config, checkpoint and annotations, and what the command wrote and returned."""
    folder = tmp_path_factory.mktemp("heat_maps")
    config, checkpoint = write_network(folder / "network")
    annotations, out = write_images(folder / "dataset"), folder / "out"
    returned = make_heat_maps(
        config, str(checkpoint), [annotations], out, stride=16, source_pictures=True
    )
    return config, checkpoint, annotations, out, returned


def maps(out, name="ill"):
    return np.load(out / "maps" / f"{name}.npz")


def test_maps_hold_the_probabilities_of_the_named_classes(case):
    saved = maps(case[3])
    assert saved["maps"].shape == (5, 7, 5)
    assert tuple(saved["classes"]) == CLASSES
    assert saved["maps"].sum(axis=0) == pytest.approx(np.ones((7, 5)), abs=1e-5)
    assert (saved["window"], saved["stride"]) == (64, 16)


def test_windows_seen_alone_are_the_predictions_of_the_model_for_patches(case, tmp_path):
    config, checkpoint, annotations, _, _ = case
    make_heat_maps(
        config, str(checkpoint), [annotations], tmp_path, stride=32, isolated=True, limit=1
    )
    saved = maps(tmp_path)["maps"]
    network = load_patch_network(config, str(checkpoint))
    image = np.pad(network.read(str(annotations.parents[1] / "images/ill.png")), 32)
    for row, y in enumerate((0, 32, 64, 96)):
        for column, x in enumerate((3, 35, 67)):
            patch = torch.from_numpy(image[y : y + 64, x : x + 64])[None, None]
            data = network.model.data_preprocessor({"inputs": patch})
            with torch.inference_mode():
                (sample,) = network.model.predict(data["inputs"])
            assert saved[:, row, column] == pytest.approx(sample.pred_scores["lesion"], abs=1e-6)
    assert not (tmp_path / "maps/well.npz").exists()


def test_places_lie_where_the_geometry_of_the_preparation_puts_them(case):
    saved = maps(case[3])
    for row, column in [(0, 0), (3, 2), (6, 4)]:
        place = (column + 0.5, row + 0.5, 1)
        x, y = saved["to_image"] @ place
        assert (x, y) == (3 + 16 * column, 16 * row)
        assert saved["to_source"] @ place == pytest.approx(GEOMETRY.to_source((x, y, x, y))[:2])
    assert tuple(saved["source_hw"]) == GEOMETRY.source_size_hw


def test_peaks_are_listed_in_pixels_of_the_image_and_of_the_dicom(case):
    listed = json.loads((case[3] / "peaks.json").read_text())
    assert listed["info"]["windows"] == "with surroundings"
    saved = maps(case[3])
    lesion = mean_of_covering(saved["maps"][1:].sum(axis=0), WindowGrid(SIZE_HW, 64, 16))
    lesion *= saved["breast"] >= 0.25
    rows = listed["images"][0]["peaks"]
    assert len(rows) == len(find_peaks(lesion, 2, 0.05)) > 0
    for peak, (row, column) in zip(rows, find_peaks(lesion, 2, 0.05), strict=True):
        x, y = peak["xy"]
        assert (x, y) == (3 + 16 * column, 16 * row)
        assert peak["lesion"] == pytest.approx(lesion[row, column], abs=1e-4)
        assert peak["source_xy"] == pytest.approx(GEOMETRY.to_source((x, y, x, y))[:2], abs=0.01)
        assert peak["class"] in CLASSES[1:]


def test_overlay_shows_the_image_and_outlines_the_lesion(case):
    picture = cv2.imread(str(case[3] / "overlays/ill.png"))[..., ::-1]
    assert picture.shape == (*SIZE_HW, 3)
    assert (picture[30, 20:52] == (255, 64, 64)).all()
    well = cv2.imread(str(case[3] / "overlays/well.png"))[..., ::-1]
    assert not (well == (255, 64, 64)).all(axis=-1).any()


def test_map_on_the_dicom_is_the_map_on_the_image_moved_back(case):
    on_source = decode_png16((case[3] / "source/ill.png").read_bytes()) / 65535
    assert on_source.shape == GEOMETRY.source_size_hw
    saved = maps(case[3])
    lesion = saved["maps"][1:].sum(axis=0)
    for row, column in [(1, 1), (3, 2), (5, 3)]:
        x, y = np.round(saved["to_source"] @ (column + 0.5, row + 0.5, 1)).astype(int)
        around = on_source[y - 1 : y + 1, x - 1 : x + 1].mean()
        near = lesion[row - 1 : row + 2, column - 1 : column + 2]
        assert around == pytest.approx(lesion[row, column], abs=float(np.ptp(near)) / 8 + 1e-4)


def test_figures_are_of_the_kinds_of_lesions_that_there_are(case):
    _, _, _, out, returned = case
    assert set(returned) == {"any", "mass"}
    assert returned["mass"]["lesions"] == returned["any"]["images_with_lesions"] == 1
    assert json.loads((out / "localisation.json").read_text())["lesions"] == returned


def test_bare_images_have_maps_but_neither_dicom_nor_figures(case, tmp_path):
    config, checkpoint, annotations, _, _ = case
    image = annotations.parents[1] / "images/ill.png"
    assert make_heat_maps(config, str(checkpoint), [image], tmp_path, stride=32) == {}
    assert "to_source" not in maps(tmp_path)
    assert not (tmp_path / "localisation.json").exists()


def test_patches_whose_size_is_not_known_must_be_told(case, tmp_path):
    checkpoint = case[1]
    pipeline = [{"type": "LoadMammogram"}, {"type": "PackMammogram"}]
    config, _ = write_network(tmp_path, **{"test_dataloader.dataset.pipeline": pipeline})
    with pytest.raises(UsageError, match="must make squares of one size, got none: state"):
        load_patch_network(config, str(checkpoint))
    assert load_patch_network(config, str(checkpoint), window=64).cell == 32


def test_other_models_than_patch_classifiers_are_refused(tmp_path):
    neck = {"_delete_": True, "type": "ResidualTopNeck", "in_channels": 64, "depths": (32, 32)}
    config, checkpoint = write_network(tmp_path, **{"model.neck": neck})
    with pytest.raises(UsageError, match=r"heat maps need .* got ResidualTopNeck and Masked"):
        load_patch_network(config, str(checkpoint))


def test_without_an_image_there_is_nothing_to_do(case, tmp_path):
    config, checkpoint, _, _, _ = case
    with pytest.raises(UsageError, match="there must be an image, got none"):
        make_heat_maps(config, str(checkpoint), [], tmp_path)
