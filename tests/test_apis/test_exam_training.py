"""One command for a whole exam: train and test a model of all views and clinical variables."""

import copy
import json
import math

import pytest
import torch
from mmengine.config import Config

from mammography.apis.testing import evaluate
from mammography.apis.training import train
from phantoms import prepared_png_study
from prepared_study import write_config


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("exam_training")
    study = root / "dataset" / "phantom"
    prepared_png_study(study, patients=12, size_hw=(64, 52), missing_view_rate=0.5)
    return root


@pytest.fixture(scope="module")
def run(root):
    """Train, test plainly and with flips; return the config and both dumps."""
    config = write_config(root)
    cfg = Config.fromfile(config, import_custom_modules=False)
    cfg.merge_from_dict(
        {
            "model.type": "MultiInputClassifier",
            "model.data_preprocessor.type": "MultiViewDataPreprocessor",
            "model.view_fusion": {"type": "ViewFusionNeck", "in_channels": 64, "num_heads": 4},
            "model.clinical": {
                "type": "ClinicalEncoder",
                "numbers": {"age_years": {}, "body_mass_index": {}},
                "categories": {"family_history": [0, 1]},
            },
            "model.head.in_channels": 72,
            "custom_hooks": [{"type": "FitClinicalEncoderHook"}],
            "train_cfg.max_epochs": 1,
            "train_dataloader.batch_size": 2,
        }
    )
    for split in ("train", "val", "test"):
        cfg[f"{split}_dataloader"].collate_fn = {"type": "pseudo_collate"}
        cfg[f"{split}_dataloader"].dataset.type = "ExamDataset"
        cfg[f"{split}_dataloader"].dataset.data_root = str(root / "dataset" / "phantom")
    cfg.work_dir = str(root / "work_dirs" / "small")
    cfg.dump(config)
    train(config, pin_memory=False, report=False)
    weights = f"{cfg.work_dir}/epoch_1.pth"
    dumps = []
    for tta in (False, True):
        work_dir = root / f"test_{tta}"
        evaluate(config, weights, work_dir=str(work_dir), tta=tta, pin_memory=False, report=False)
        dumps.append(json.loads((work_dir / "test" / "predictions.json").read_text())["data_list"])
    return weights, copy.deepcopy(dumps)


def test_each_exam_of_the_test_is_predicted_once(root, run):
    annotations = json.loads((root / "dataset/phantom/annotations/test.json").read_text())
    exams = {row["exam_id"] for row in annotations["data_list"]}
    _, dumps = run
    for dump in dumps:
        assert sorted(row["exam_id"] for row in dump) == sorted(exams)
        assert all(0 < row["pred_score"]["malignant"] < 1 for row in dump)
        assert all(row["image_id"] is None for row in dump)


def test_flips_change_the_scores_a_little_and_no_label(run):
    plain, flipped = run[1]
    assert [row["gt_label"] for row in plain] == [row["gt_label"] for row in flipped]
    assert [row["pred_score"] for row in plain] != [row["pred_score"] for row in flipped]


def test_the_checkpoint_holds_the_moments_of_the_training_exams(root, run):
    annotations = json.loads((root / "dataset/phantom/annotations/train.json").read_text())
    ages = {row["exam_id"]: row["clinic_vars"]["age_years"] for row in annotations["data_list"]}
    weights = torch.load(run[0], weights_only=False)["state_dict"]
    mean = sum(ages.values()) / len(ages)
    std = math.sqrt(sum((age - mean) ** 2 for age in ages.values()) / len(ages))
    assert weights["clinical.mean"][0].item() == pytest.approx(mean, rel=1e-6)
    assert weights["clinical.std"][0].item() == pytest.approx(std, rel=1e-6)
