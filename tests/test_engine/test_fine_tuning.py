"""Choices of fine-tuning that a config makes of parts of MMEngine and MMPreTrain."""

import math

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmpretrain.registry import DATASETS, MODELS
from torch import nn

import mammography.models.heads.masked_multi_task_head  # noqa: F401
from mammography.engine.portable_runner import PortableRunner
from small_study import SmallStudy, small_config


@MODELS.register_module()
class PlainNet(BaseModel):
    """A hidden layer without batch norm, in double precision."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 1)).double()

    def forward(self, inputs, data_samples=None, mode="tensor"):
        inputs = torch.stack(inputs) if isinstance(inputs, list) else inputs
        logits = self.body(inputs.flatten(1).double())[:, 0]
        target = logits.new_tensor([sample.gt_targets["malignant"] for sample in data_samples])
        return {"loss": nn.functional.binary_cross_entropy_with_logits(logits, target)}


@DATASETS.register_module()
class WideStudy(SmallStudy):
    def __init__(self, **settings):
        super().__init__(**{**settings, "length": 128, "augment": False})


def train(folder, batch_size, counts):
    cfg = small_config(folder, epochs=3)
    cfg.model = {"type": "PlainNet"}
    cfg.train_dataloader.update(batch_size=batch_size)
    cfg.train_dataloader.dataset.type = "WideStudy"
    cfg.optim_wrapper = {
        "type": "OptimWrapper",
        "optimizer": {"type": "SGD", "lr": 0.5, "momentum": 0.9, "weight_decay": 1e-4},
        "accumulative_counts": counts,
        "clip_grad": {"max_norm": 0.1},
    }
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    return runner.model.state_dict()


def test_four_batches_of_16_accumulated_are_one_of_64(tmp_path):
    accumulated, whole = train(tmp_path / "a", 16, 4), train(tmp_path / "b", 64, 1)
    apart = train(tmp_path / "c", 16, 1)
    for name, value in whole.items():
        torch.testing.assert_close(accumulated[name], value, rtol=1e-12, atol=1e-14)
        assert (apart[name] - value).abs().max() > 1e-3


CONVNEXT = {
    "type": "ImageClassifier",
    "backbone": {
        "type": "ConvNeXt",
        "arch": {"depths": [1, 1, 2, 1], "channels": [4, 8, 8, 16]},
        "in_channels": 1,
    },
    "head": {
        "type": "MaskedMultiTaskHead",
        "in_channels": 16,
        "tasks": {"malignant": {"kind": "binary"}},
    },
}
RESNET = CONVNEXT | {
    "backbone": {
        "type": "ResNet",
        "depth": 50,
        "in_channels": 1,
        "base_channels": 4,
        "stem_channels": 4,
    },
    "head": CONVNEXT["head"] | {"in_channels": 128},
}


@pytest.mark.parametrize("model", [CONVNEXT, RESNET], ids=["ConvNeXt", "ResNet"])
def test_layer_wise_decay_gives_deeper_layers_of_the_backbone_higher_rates(model):
    built = MODELS.build(model)
    wrapper = build_optim_wrapper(
        built,
        {
            "type": "OptimWrapper",
            "constructor": "LearningRateDecayOptimWrapperConstructor",
            "optimizer": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.05},
            "paramwise_cfg": {"layer_decay_rate": 0.5},
        },
    )
    of = {p: group["lr"] for group in wrapper.param_groups for p in group["params"]}
    rates = {name: of[parameter] for name, parameter in built.named_parameters()}
    in_order = [rate for name, rate in rates.items() if name.endswith("weight")]
    assert rates["head.outcomes.malignant.linear.weight"] == 1e-3 == max(in_order)
    assert min(in_order) == in_order[0] <= 1e-3 * 0.5**3
    steps = [math.log2(1e-3 / rate) for rate in rates.values()]
    assert all(step == pytest.approx(round(step), abs=1e-9) for step in steps)


def test_backbones_of_timm_have_no_depths_and_layer_wise_decay_refuses_them():
    timm = CONVNEXT | {
        "backbone": {"type": "TIMMBackbone", "model_name": "resnet10t", "in_channels": 1},
        "head": CONVNEXT["head"] | {"in_channels": 512},
    }
    with pytest.raises(NotImplementedError, match=r"TIMMBackbone.*get_layer_depth"):
        build_optim_wrapper(
            MODELS.build(timm),
            {
                "constructor": "LearningRateDecayOptimWrapperConstructor",
                "optimizer": {"type": "AdamW", "lr": 1e-3, "weight_decay": 0.05},
                "paramwise_cfg": {"layer_decay_rate": 0.5},
            },
        )
