import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

import mammography.plugin  # noqa: F401
from mammography.apis.config import UsageError
from mammography.apis.explaining.attributions import Question
from mammography.apis.explaining.command import explain
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.image import PreparationOptions
from mammography.preparation.study import DatasetOptions
from mammography.structures.annotation import read_annotations
from phantoms import write_phantom_study
from prepared_study import write_config

QUESTION = Question("malignant", method="occlusion", window=16, stride=8)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A prepared study of DICOM files, a config and weights of a network that sees brightness."""
    root = tmp_path_factory.mktemp("explain")
    write_phantom_study(root / "dicom", patients=2, size_hw=(192, 156), vendors=("alpha",))
    study = root / "dataset" / "phantom"
    options = DatasetOptions(
        source_options={"patients": "2", "image_size_hw": "192,156", "vendors": "alpha"},
        preparation=PreparationOptions(size_hw=(128, 80)),
    )
    prepare_dataset("phantom", study, root / "dicom", options, workers=1)
    config = write_config(root, train_cfg={"type": "ReproducibleEpochLoop", "max_epochs": 1})
    cfg = Config.fromfile(config, import_custom_modules=False)
    cfg.test_dataloader.dataset.data_root = str(study)
    cfg.model.head.tasks = {"malignant": {"kind": "binary"}}
    cfg.work_dir = str(root / "run")
    cfg.dump(config)
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        torch.save({"state_dict": MODELS.build(cfg.model).state_dict()}, root / "weights.pth")
    return root, config, study


def run(case, out, *inputs, question=QUESTION, **options):
    root, config, _ = case
    return explain(config, str(root / "weights.pth"), inputs, out, question, **options)


@pytest.fixture(scope="module")
def explained(case, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    annotations = case[2] / "annotations" / "all.json"
    assert run(case, out, annotations, source_pictures=True) == len(
        read_annotations(annotations).records
    )
    return out


def test_every_image_has_arrays_a_picture_and_a_row(case, explained):
    records = read_annotations(case[2] / "annotations" / "all.json").records
    names = sorted(str(record.image_id) for record in records)
    rows = json.loads((explained / "explained.json").read_text())["images"]
    assert sorted(row["image_id"] for row in rows) == names
    for folder, suffix in (("maps", "npz"), ("overlays", "png"), ("source", "png")):
        assert sorted(path.name for path in (explained / folder).iterdir()) == [
            f"{name}.{suffix}" for name in names
        ]
    picture = cv2.imread(str(next((explained / "overlays").iterdir())), cv2.IMREAD_UNCHANGED)
    assert picture.shape == (64, 32, 3)


def test_places_of_the_map_lead_into_the_image_and_the_dicom(case, explained):
    """A corner of the picture is the corner of what the warp took, in both images."""
    for record in read_annotations(case[2] / "annotations" / "all.json").records:
        content = np.load(explained / "maps" / f"{record.image_id}.npz")
        rows, columns = content["map"].shape
        centre = np.array([columns / 2, rows / 2, 1.0])
        height, width = record.size_hw
        # The picture is the whole image fitted into it: its centre is that of the image.
        assert content["to_image"] @ centre == pytest.approx([width / 2, height / 2], abs=1e-6)
        point = (content["to_image"] @ centre).tolist()
        wanted = record.geometry.to_source((*point, *point))[:2]
        assert content["to_source"] @ centre == pytest.approx(wanted, abs=1e-6)
        assert tuple(content["source_hw"]) == record.geometry.source_size_hw


def test_a_cell_of_a_resnet_lies_where_it_looks(case, tmp_path):
    """The middle of cell (i, j) on the pixel (32 i, 32 j) of the picture."""
    annotations = case[2] / "annotations" / "all.json"
    run(case, tmp_path, annotations, question=Question("malignant"))
    rows = json.loads((tmp_path / "explained.json").read_text())["images"]
    assert {row["placed_by"] for row in rows} == {"receptive fields"}
    for record in read_annotations(annotations).records:
        content = np.load(tmp_path / "maps" / f"{record.image_id}.npz")
        assert content["map"].shape == (2, 1)
        height, width = record.size_hw
        scale = max(height / 64, width / 32)  # Of the image to the picture, which it is fitted to.
        beside = (np.array([32, 64]) * scale - (width, height)) / 2
        for row in (0, 1):
            wanted = scale * np.array([0.5, 32 * row + 0.5]) - beside
            assert content["to_image"] @ (0.5, row + 0.5, 1) == pytest.approx(wanted, abs=1e-6)


def test_a_map_on_the_dicom_is_highest_where_the_row_says(case, explained):
    rows = {
        r["image_id"]: r for r in json.loads((explained / "explained.json").read_text())["images"]
    }
    checked = 0
    for record in read_annotations(case[2] / "annotations" / "all.json").records:
        heat = cv2.imread(str(explained / f"source/{record.image_id}.png"), cv2.IMREAD_UNCHANGED)
        assert heat.dtype == np.uint16
        assert heat.shape == record.geometry.source_size_hw
        x, y = map(int, rows[str(record.image_id)]["source_xy"])
        if 0 <= x < heat.shape[1] and 0 <= y < heat.shape[0]:  # Padding has no place in the DICOM.
            # A place of the map is about three pixels of the DICOM wide.
            assert heat[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].max() == heat.max()
            checked += 1
    assert checked


def test_a_dicom_is_prepared_as_the_study_was_and_explained_the_same(case, explained, tmp_path):
    root, _, _ = case
    listed = json.loads((explained / "explained.json").read_text())["images"]
    files = sorted((root / "dicom").rglob("*.dcm"))
    assert run(case, tmp_path, *files) == len(files)
    again = json.loads((tmp_path / "explained.json").read_text())["images"]
    scores = [sorted(row["pred_score"]["malignant"] for row in rows) for rows in (listed, again)]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)
    places = [sorted(row["source_xy"] for row in rows) for rows in (listed, again)]
    assert places[0] == places[1]


def test_files_of_a_dicom_do_not_carry_its_name(case, tmp_path):
    (secret,) = [tmp_path / "doe_jane.dcm"]
    secret.write_bytes(next((case[0] / "dicom").rglob("*.dcm")).read_bytes())
    run(case, tmp_path / "out", secret)
    names = [str(path) for path in (tmp_path / "out").rglob("*")]
    texts = [p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert not any("jane" in name for name in names)
    assert not any(b"jane" in text for text in texts)


def test_only_the_images_that_are_named_are_explained(case, tmp_path):
    annotations = case[2] / "annotations" / "all.json"
    name = str(read_annotations(annotations).records[1].image_id)
    assert run(case, tmp_path, annotations, images=[name]) == 1
    assert [path.stem for path in (tmp_path / "maps").iterdir()] == [name]
    with pytest.raises(UsageError, match="must be an image to explain, got none named nobody"):
        run(case, tmp_path, annotations, images=["nobody"])


def test_a_file_that_is_no_image_is_refused_with_its_reason(case, tmp_path):
    (tmp_path / "x.dcm").write_text("no image")
    with pytest.raises(UsageError, match=r"x.dcm cannot be prepared: "):
        run(case, tmp_path / "out", tmp_path / "x.dcm")
    with pytest.raises(UsageError, match=r"y.dcm does not exist"):
        run(case, tmp_path / "out", tmp_path / "y.dcm")
