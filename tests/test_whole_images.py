"""What the classifier of whole images owes: its patch network, all samples, real scores."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS, TRANSFORMS
from sklearn.metrics import roc_auc_score

from mammography.engine.portable_runner import PortableRunner
from mammography.structures.prediction import read_dump
from patch_network_case import write_network
from ranks import run_on_ranks
from whole_image_case import (
    BATCH_SIZES,
    IMAGES,
    evaluate,
    evaluate_in_batches,
    whole_image_config,
    whole_image_model,
)

PIPELINES = Path(__file__).parents[1] / "configs/_base_/datasets/pipelines"


def labels_and_scores(folder):
    records = read_dump(folder / "predictions.json").records
    assert [record.image_id for record in records] == [f"i{i}" for i in range(IMAGES)]
    labels = [record.gt_label["malignant"] for record in records]
    return labels, np.array([record.pred_score["malignant"] for record in records])


@pytest.mark.parametrize("batch_size", [1, 4, 5, IMAGES, IMAGES + 1])
def test_every_image_counts_and_by_its_probability(tmp_path, batch_size):
    """The port computes the area from arg-max labels and leaves out the last, smaller batch."""
    area = evaluate(tmp_path, batch_size)
    labels, scores = labels_and_scores(tmp_path)
    assert area == pytest.approx(roc_auc_score(labels, scores))
    assert len(set(scores)) == IMAGES
    assert area != pytest.approx(roc_auc_score(labels, scores > np.median(scores)))


def test_so_it_is_on_two_processes(tmp_path):
    areas = run_on_ranks(partial(evaluate_in_batches, tmp_path), tmp_path)
    for size in BATCH_SIZES:
        labels, scores = labels_and_scores(tmp_path / str(size))
        area = pytest.approx(roc_auc_score(labels, scores))
        assert areas[0][size] == areas[1][size] == area


def test_it_starts_with_the_patch_network_and_says_how_much_of_it(tmp_path, caplog):
    _, checkpoint = write_network(tmp_path / "patches")
    cfg = whole_image_config(tmp_path / "whole", log_level="INFO")
    cfg.custom_hooks = [
        {"type": "LoadPretrainedHook", "checkpoint": str(checkpoint)},
        {
            "type": "StagedTrainingHook",
            "stages": [
                {"epochs": 1, "trainable": ["neck", "head"], "norm_statistics": "freeze"},
                {"epochs": 1, "trainable": [".*"]},
            ],
        },
    ]
    cfg.param_scheduler = []
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    runner = PortableRunner.from_cfg(cfg)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    saved = torch.load(tmp_path / "whole/epoch_1.pth", weights_only=False)["state_dict"]
    patch = torch.load(checkpoint, weights_only=False)["state_dict"]
    names = [name for name in patch if name.startswith("backbone.")]
    assert all(torch.equal(saved[name], patch[name]) for name in names)
    assert f"{len(names)} of {len(names)} tensors loaded" in caplog.text
    ended = runner.model.state_dict()
    assert not any(torch.equal(ended[n], patch[n]) for n in names if n.endswith("conv1.weight"))


def test_a_checkpoint_of_another_network_stops_the_run(tmp_path):
    torch.save({"state_dict": {"encoder.weight": torch.ones(3)}}, tmp_path / "other.pth")
    cfg = whole_image_config(tmp_path / "whole")
    hook = {"type": "LoadPretrainedHook", "checkpoint": str(tmp_path / "other.pth")}
    cfg.custom_hooks = [hook]
    with pytest.raises(ValueError, match=r"LoadPretrainedHook: .*other\.pth"):
        PortableRunner.from_cfg(cfg).train()


def test_heat_map_head_starts_with_the_last_layer_of_the_patch_network(tmp_path):
    _, checkpoint = write_network(tmp_path / "patches")
    cfg = whole_image_config(tmp_path / "whole")
    cfg.model.neck = {
        "type": "HeatMapNeck",
        "in_channels": 64,
        "map_hw": (1, 1),
        "window": 1,
        "pool": 1,
    }
    cfg.model.head.in_channels = 32
    cfg.custom_hooks = [
        {"type": "LoadPretrainedHook", "checkpoint": str(checkpoint)},
        {
            "type": "LoadPretrainedHook",
            "checkpoint": str(checkpoint),
            "module": "neck.classifier",
            "prefix": "state_dict.head.outcomes.lesion.linear.",
        },
        {"type": "SelectTrainableHook", "freeze_names": ["backbone", r"neck\.classifier"]},
    ]
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    saved = torch.load(checkpoint, weights_only=False)["state_dict"]
    for name, value in runner.model.neck.classifier.state_dict().items():
        assert torch.equal(value, saved[f"head.outcomes.lesion.linear.{name}"])


@pytest.mark.parametrize("size", [(1152, 896), (300, 200)])
def test_images_of_any_size_are_classified(size):
    model = MODELS.build(whole_image_model())
    model.eval()
    assert model(torch.rand(1, 1, *size), mode="tensor")["malignant"].shape == (1, 1)


@pytest.mark.parametrize("name", ["demo_576x320", "whole-image_1152x896"])
def test_flips_of_a_test_are_the_image_its_mirror_image_and_both_upside_down(name):
    pipeline = Config.fromfile(PIPELINES / f"{name}.py").tta_pipeline
    last = TRANSFORMS.build(pipeline[-1])
    image = np.random.default_rng(0).random((6, 4)).astype(np.float32)
    views = [view[0].numpy() for view in last({"img": image.copy()})["inputs"]]
    expected = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    assert all(np.array_equal(a, b) for a, b in zip(views, expected, strict=True))
