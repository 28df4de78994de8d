import json
import pickle

import numpy as np
import pytest
import torch

from mammography.evaluation.metrics.dump_features import DumpFeatures
from samples import META, run_metric, sample


def read(path):
    if path.suffix == ".npz":
        return dict(np.load(path))  # without pickle
    return pickle.loads(path.read_bytes())


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
def test_arrays_hold_one_row_per_image_with_nan_for_a_missing_label(tmp_path, suffix):
    path = tmp_path / f"features{suffix}"
    samples = [
        sample(0, {"malignant": 1.0}, features=[1.0, 2.0], laterality="L", patient_id="p0"),
        sample(1, {"size_mm": 0.7}, features=[3.0, 4.0], laterality=None, patient_id="p1"),
        sample(2, {}, features=[5.0, 6.0], patient_id="p1"),
    ]
    run_metric(DumpFeatures(str(path), data_root="dataset/s"), samples)
    arrays = read(path)
    assert arrays["features"].dtype == np.float32
    assert arrays["features"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert arrays["img_path"].tolist() == ["images/0.png", "images/1.png", "images/2.png"]
    assert arrays["patient_id"].tolist() == ["p0", "p1", "p1"]
    assert arrays["laterality"].tolist() == ["L", "", ""]
    np.testing.assert_array_equal(arrays["gt_malignant"], [1, np.nan, np.nan])
    np.testing.assert_array_equal(arrays["gt_size_mm"], [np.nan, 0.7, np.nan])
    assert set(arrays) == {
        *("features", "img_path", "image_id", "patient_id", "exam_id"),
        *("laterality", "view_position", "split", "gt_malignant", "gt_size_mm"),
    }


def test_where_they_come_from_is_written_beside_them(tmp_path):
    info = {"config": "small.py", "trained_on": ["a/train.json"]}
    run_metric(DumpFeatures(str(tmp_path / "f.npz"), info=info), [sample(0, {}, features=[1.0])])
    assert json.loads(str(read(tmp_path / "f.npz")["info"])) == info


def test_features_of_half_precision_are_written_in_single(tmp_path):
    half = sample(0, {})
    half.set_field(torch.ones(2, dtype=torch.bfloat16), "pred_features", dtype=torch.Tensor)
    run_metric(DumpFeatures(str(tmp_path / "f.npz")), [half])
    assert read(tmp_path / "f.npz")["features"].dtype == np.float32


def test_an_unknown_suffix_fails_at_construction():
    with pytest.raises(ValueError, match=r"must end in .npz, .pkl, .pickle, got f.csv"):
        DumpFeatures("f.csv")


def test_a_model_without_features_is_told_so(tmp_path):
    with pytest.raises(ValueError, match="a prediction must carry pred_features"):
        run_metric(DumpFeatures(str(tmp_path / "f.npz")), [sample(0, {})])


def test_features_say_what_their_rows_are_unless_they_are_images(tmp_path):
    row, path = sample(0, {}, features=[1.0]), tmp_path / "f.npz"
    run_metric(DumpFeatures(str(path), info={"config": "a.py"}), [row], META | {"level": "exam"})
    assert json.loads(str(read(path)["info"])) == {"config": "a.py", "level": "exam"}
