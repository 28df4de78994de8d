import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

import mammography.plugin  # noqa: F401
from mammography.apis.config import UsageError
from mammography.apis.explaining.attributions import METHODS, Question, explain_case

TASKS = {
    "malignant": {"kind": "binary"},
    "density": {"kind": "ordinal", "num_classes": 4},
    "birads": {"kind": "multiclass", "num_classes": 3},
}
VIEWS = [{"laterality": "L", "view_position": view} for view in ("CC", "MLO")]


class Bright(nn.Module):
    """A backbone of one map: the image in blocks of 8 x 8 pixels."""

    def __init__(self):
        super().__init__()
        self.pool = nn.Conv2d(1, 2, 8, stride=8, bias=False)
        nn.init.constant_(self.pool.weight, 1 / 64)

    def forward(self, x):
        return (self.pool(x),)


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        yield


def build(**settings):
    torch.manual_seed(0)
    config = {
        "type": "ImageClassifier",
        "backbone": Bright(),
        "neck": {"type": "GlobalAveragePooling"},
        "head": {"type": "MaskedMultiTaskHead", "in_channels": 2, "tasks": TASKS},
    }
    model = MODELS.build(config | settings).eval()
    nn.init.constant_(model.head.outcomes["malignant"].linear.weight, 1.0)
    return model


def spot(row=2, column=1, value=1.0):
    """One image, dark but for one block."""
    image = torch.zeros(1, 1, 48, 32)
    image[..., 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = value
    return image


def transformer():
    neck = {
        "type": "TransformerNeck",
        "in_channels": 2,
        "input_size_hw": (48, 32),
        "backbone_stride": 8,
        "pool": {"kernel_size": 2, "stride": 2},
        "num_heads": 2,
        "head_dims": 4,
        "feedforward_channels": 8,
        "depth": 2,
    }
    return build(neck=neck)


def maps_of(model, inputs, sample, question):
    return explain_case(model, inputs, sample, question).maps


@pytest.mark.parametrize("method", ["grad-cam", "grad-cam++", "occlusion"])
def test_the_only_bright_place_explains_a_score_of_brightness(method):
    question = Question("malignant", method=method, window=8, stride=8)
    (found,) = maps_of(build(), spot(), DataSample(), question)
    cells = nn.functional.adaptive_avg_pool2d(found[None], (6, 4))[0]
    others = torch.ones(6, 4, dtype=torch.bool)
    others[2, 1] = False
    assert cells[2, 1] > 0
    assert cells[others].abs().max() < 1e-6


def test_occlusion_is_by_how_much_the_logit_falls():
    model = build()
    question = Question("malignant", method="occlusion", window=8, stride=8)
    (found,) = maps_of(model, spot(), DataSample(), question)
    with torch.no_grad():
        fall = (model(spot())["malignant"] - model(torch.zeros(1, 1, 48, 32))["malignant"]).item()
    assert found[20, 10].item() == pytest.approx(fall, rel=1e-5)


def test_a_frozen_model_is_explained_the_same():
    model, question = build(), Question("malignant")
    before = maps_of(model, spot(), DataSample(), question)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    assert torch.equal(maps_of(model, spot(), DataSample(), question), before)


def test_each_class_and_outcome_has_a_map_of_its_own():
    model, image = build(), torch.rand(1, 1, 48, 32)
    for name in ("density", "birads"):  # Weights that speak for class 1 and against class 2.
        weight = model.head.outcomes[name].linear.weight.data
        weight.zero_()
        weight[1], weight[2] = 1.0, -3.0
    first, second = (
        maps_of(model, image, DataSample(), Question("birads", category)) for category in (1, 2)
    )
    assert first.sum() > 0
    assert second.sum() == 0
    assert maps_of(model, image, DataSample(), Question("density")).sum() == 0


def test_a_layer_inside_is_read_by_its_name():
    found = maps_of(build(), spot(), DataSample(), Question("malignant", layer="backbone.pool"))
    assert torch.equal(found, maps_of(build(), spot(), DataSample(), Question("malignant")))


@pytest.mark.parametrize("method", ["attention", "rollout"])
def test_attention_is_a_share_of_each_token(method):
    (found,) = maps_of(
        transformer(), torch.rand(1, 1, 48, 32), DataSample(), Question("malignant", method=method)
    )
    assert found.shape == (3, 2)
    assert (found > 0).all()
    assert found.sum() < 1 + 1e-6  # What is left is what the class token keeps of itself.


def test_the_last_layer_of_locality_attention_looks_at_cells_only():
    (found,) = maps_of(
        transformer(),
        torch.rand(1, 1, 48, 32),
        DataSample(),
        Question("malignant", method="attention"),
    )
    assert found.sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("attention", "rollout")])
def test_the_views_of_a_case_are_explained_together(method):
    fusion = {"type": "ViewFusionNeck", "in_channels": 2, "num_heads": 1}
    model = build(type="MultiInputClassifier", view_fusion=copy.deepcopy(fusion))
    case, question = DataSample(metainfo={"views": VIEWS}), Question("malignant", method=method)
    maps = maps_of(model, torch.cat([spot(), spot(4, 2)]), case, question)
    assert len(maps) == 2
    assert maps.isfinite().all()


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("stage"), "--task: must be one of malignant, density, birads .*got stage"),
        (Question("birads", 3), "--class: must be 0 to 2 for birads, got 3"),
        (Question("malignant", 1), "--class: malignant is binary: leave it out"),
        (Question("malignant", layer="nowhere"), "--layer: must be a module of the model"),
        (Question("malignant", layer="head"), r"head must give one map .* got shapes \[\(\)\]"),
        (Question("malignant", layer="neck"), r"neck must give one map .* got shapes \[\(1, 2\)\]"),
        (Question("malignant", method="rollout"), "need a TransformerNeck.* take grad-cam"),
    ],
)
def test_what_a_model_does_not_have_is_refused(question, message):
    with pytest.raises(UsageError, match=message):
        explain_case(build(), spot(), DataSample(), question)
