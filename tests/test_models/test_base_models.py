from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import mammography.models.backbones.narrow_late_resnet
import mammography.models.heads.masked_multi_task_head
import mammography.models.necks.cat_avg_max_pooling_neck
import mammography.models.necks.depthwise_residual_pooling_neck
import mammography.models.necks.hidden_layers_neck
import mammography.models.necks.transformer_neck  # noqa: F401

BASES = Path(__file__).parents[2] / "configs" / "_base_" / "models"
NECKS = {"pooled": 0, "transformer": 4_505_613 - 5_125, "depthwise": 536_837 - 5_125}


@pytest.mark.parametrize("neck", NECKS)
def test_a_base_model_is_backbone_neck_and_a_layer_per_outcome(neck):
    model = MODELS.build(Config.fromfile(BASES / f"resnet50w-{neck}.py").model).eval()
    stem_of_two_channels = 2 * 64 * 49
    outputs = 1 + 3 + 5
    want = 16_838_208 - stem_of_two_channels + NECKS[neck] + outputs * 1025
    assert sum(p.numel() for p in model.parameters()) == want
    with torch.no_grad():
        (sample,) = model.predict(torch.rand(1, 1, 256, 160))
    assert {k: len(v) for k, v in sample.pred_scores.items() if k != "malignant"} == {
        "density": 4,
        "birads": 5,
    }


def test_another_study_replaces_the_outcomes():
    cfg = Config.fromfile(BASES / "resnet50w-transformer.py")
    tasks = {"_delete_": True, "N": {"kind": "binary"}}
    cfg.merge_from_dict({"model": {"head": {"tasks": tasks}}})
    assert list(MODELS.build(cfg.model).head.layers) == ["N"]


@pytest.mark.parametrize(
    ("name", "pooled", "hidden", "million"),
    [("convnext-small", 2 * 768, 512, 49.5), ("efficientnet-b4", 2 * 1792, 128, 17.5)],
)
def test_a_model_that_pools_average_and_maximum_learns_through_all_of_its_layers(
    name, pooled, hidden, million
):
    model = MODELS.build(Config.fromfile(BASES / f"{name}_catavgmax.py").model)
    backbone = sum(p.numel() for p in model.backbone.parameters())
    assert backbone / 1e6 == pytest.approx(million, abs=0.2)
    images = torch.rand(3, 1, 96, 64)
    samples = [DataSample() for _ in images]
    for sample, label in zip(samples, (1.0, 0.0, 1.0), strict=True):
        sample.set_field({"malignant": label}, "gt_targets", dtype=dict)
    (feats,) = model.neck[0](model.backbone(images))
    assert feats.shape == (3, pooled)
    model.init_weights()
    loss = model.loss(images, samples)["malignant_loss"]
    loss.backward()
    for part, parameter in model.named_parameters():
        assert parameter.grad is not None, part
        assert torch.isfinite(parameter.grad).all(), part
    assert model.head.layers["malignant"].linear.in_features == hidden
