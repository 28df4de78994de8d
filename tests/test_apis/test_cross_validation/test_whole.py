"""A small cross-validation as the tool runs it: trained, tested, every number computed again."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from sklearn.metrics import roc_auc_score

from domain_study_case import write_config, write_hospital
from mammography.apis.features import read_features
from mammography.functional.png16 import decode_png16
from mammography.structures.folds import read_folds
from mammography.structures.prediction import read_dump

pytestmark = pytest.mark.slow  # about a minute; test_command has what does not train

TOOL = Path(__file__).parents[3] / "tools" / "cross_validate.py"


def run(*arguments):
    spec = importlib.util.spec_from_file_location("tools_cross_validate", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The repository with the finished cross-validation."""
    folder = tmp_path_factory.mktemp("repository")
    write_hospital(folder / "dataset" / "near", 60, 16000, seed=1)
    loaders = ("train_dataloader", "val_dataloader", "test_dataloader")
    write_config(
        folder / "configs" / "small.py",
        **{f"{loader}.dataset.data_root": "dataset/near" for loader in loaders},
        **{"train_cfg.max_epochs": 2},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = ("--outer", 2, "--inner", 2, "--features", "--out", "cv")
        assert run("configs/small.py", *options) == 0
    return folder


def models(root):
    return sorted(path for path in (root / "cv/models").iterdir() if path.is_dir())


def score(root, run_dir, img_path):
    init_default_scope("mmpretrain")
    network = MODELS.build(Config.fromfile(run_dir.with_suffix(".py")).model).eval()
    (weights,) = run_dir.glob("*.pth")
    network.load_state_dict(torch.load(weights, weights_only=False)["state_dict"])
    pixels = decode_png16((root / "dataset/near" / img_path).read_bytes())
    inputs = (torch.tensor(pixels / 65535, dtype=torch.float32)[None, None] - 0.5) / 0.5
    with torch.no_grad():
        features = network.extract_feat(inputs)[-1]
        return torch.sigmoid(network.head.layers["malignant"](features)).item(), features[0]


def test_out_of_fold_scores_are_the_mean_of_what_the_weights_of_the_fold_say(root):
    folds = read_folds(root / "cv/folds.json")
    for row in read_dump(root / "cv/predictions.json").records[::40]:
        said = [
            score(root, run_dir, row.img_path)[0]
            for run_dir in models(root)
            if run_dir.name.startswith(f"outer{folds.outer[row.patient_id]}-")
        ]
        assert len(said) == 2
        assert row.pred_score["malignant"] == pytest.approx(np.mean(said), abs=1e-5)


def test_the_checkpoint_is_the_best_one_on_the_validation_fold(root):
    for run_dir in models(root):
        scalars = [
            json.loads(line)
            for path in run_dir.rglob("scalars.json")
            for line in path.read_text().splitlines()
        ]
        areas = [row["malignant/roc_auc"] for row in scalars if "malignant/roc_auc" in row]
        assert len(areas) == 2
        (weights,) = run_dir.glob("*.pth")
        assert weights.name == f"best_malignant_roc_auc_epoch_{1 + int(np.argmax(areas))}.pth"
        rows = read_dump(run_dir / "val/predictions.json").records
        labels = [row.gt_label["malignant"] for row in rows]
        scores = [row.pred_score["malignant"] for row in rows]
        assert roc_auc_score(labels, scores) == pytest.approx(max(areas), abs=1e-6)


def test_the_metrics_are_those_of_scikit_learn(root):
    rows = read_dump(root / "cv/predictions.json").records
    table = pd.DataFrame(
        {
            "patient": row.patient_id,
            "breast": f"{row.patient_id} {row.laterality}",
            "image": row.img_path,
            "label": row.gt_label["malignant"],
            "score": row.pred_score["malignant"],
            "fold": read_folds(root / "cv/folds.json").outer[row.patient_id],
        }
        for row in rows
    )
    levels = json.loads((root / "cv/metrics.json").read_text())["tasks"]["malignant"]
    for level in ("image", "breast", "patient"):
        cases = table.groupby(level).agg({"label": "max", "score": "mean", "fold": "first"})
        found = levels[level]
        assert found["pooled"]["roc_auc"] == pytest.approx(roc_auc_score(cases.label, cases.score))
        by_fold = [roc_auc_score(c.label, c.score) for _, c in cases.groupby("fold")]
        assert [fold["roc_auc"] for fold in found["folds"]] == pytest.approx(by_fold)
        assert found["over_folds"]["roc_auc"]["mean"] == pytest.approx(np.mean(by_fold))
        low, high = found["pooled"]["roc_auc_interval"]
        assert low < found["pooled"]["roc_auc"] < high


def test_features_name_the_model_that_each_row_comes_from(root):
    features, folds = read_features(root / "cv/features.npz"), read_folds(root / "cv/folds.json")
    assert len(features.values) == 2 * 240
    for i in range(0, 480, 97):
        fold, patient = str(features.models[i]), features.names["patient_id"][i]
        assert fold.startswith(f"outer{folds.outer[patient]}-inner")
        (run_dir,) = (one for one in models(root) if one.name.startswith(fold))
        expected = score(root, run_dir, features.names["img_path"][i])[1]
        np.testing.assert_allclose(features.values[i], expected, atol=1e-5)
    inner = read_features(root / "cv/inner/outer0.npz")
    assert set(inner.names["patient_id"]) == set(folds.inner[0])
    assert set(inner.names["split"]) == {"val"}


def test_the_results_can_be_read(root):
    page = (root / "cv/results.md").read_text()
    assert (
        "60 patients, 2 outer folds stratified by malignant (seed 0), 2 model(s) for each" in page
    )
    assert "| patient | 60 |" in page
    assert "best_malignant_roc_auc_epoch_" in page


def test_nothing_of_it_is_done_again(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    before = {path: path.stat().st_mtime_ns for path in (root / "cv/models").rglob("test/*.json")}
    assert run("configs/small.py", "--outer", 2, "--inner", 2, "--features", "--out", "cv") == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "4 models, 4 finished" in capsys.readouterr().out


def test_a_folder_that_was_moved_is_still_finished(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    (root / "cv").rename(root / "moved")
    try:
        assert (
            run("configs/small.py", "--outer", 2, "--inner", 2, "--out", "moved", "--dry-run") == 0
        )
    finally:
        (root / "moved").rename(root / "cv")
    assert "4 models, 4 finished" in capsys.readouterr().out


def test_a_wrong_command_line_ends_with_one_line(root, monkeypatch):
    monkeypatch.chdir(root)
    with pytest.raises(SystemExit, match=r"^cross_validate\.py: config gone\.py does not exist"):
        run("gone.py")
    with pytest.raises(SystemExit, match=r"holds other folds"):
        run("configs/small.py", "--outer", 3, "--out", "cv")
