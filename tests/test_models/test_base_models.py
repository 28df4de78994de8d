from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

import mammography.models.backbones.narrow_late_resnet
import mammography.models.heads.masked_multi_task_head
import mammography.models.necks.depthwise_residual_pooling_neck
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
