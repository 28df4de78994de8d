from bisect import bisect_left

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from mmengine.registry import DefaultScope
from mmpretrain.models.utils import SELayer
from mmpretrain.registry import MODELS
from torch import nn

import mammography.plugin  # noqa: F401
from mammography.functional.receptive_field import ReceptiveField, place_fields, receptive_fields

RESNET = {"type": "ResNet", "in_channels": 1, "base_channels": 4, "stem_channels": 4}
CONVNEXT = {
    "type": "ConvNeXt",
    "arch": {"depths": [1, 1, 2, 1], "channels": [4, 8, 16, 32]},
    "in_channels": 1,
    "gap_before_final_norm": False,
}


def build(config):
    """A backbone as a function to its last map; gates by the mean of the image are taken out."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(config)
    model.eval()
    for module in model.modules():
        for name, part in module.named_children():
            if isinstance(part, SELayer):
                setattr(module, name, nn.Identity())
    return lambda image: model(image)[-1]


def fields_of(network, size_hw, channels=1):
    image = torch.rand(1, channels, *size_hw, requires_grad=True)
    return receptive_fields(network(image), image)


@torch.no_grad()
def pixels_seen(network, size_hw, axis, place, channels=1):
    """First and last pixel along an axis that can spoil a place: what is not a number spreads."""

    def spoils(first, last):
        image = torch.zeros(1, channels, *size_hw)
        image.narrow(2 + axis, first, last - first + 1).fill_(torch.nan)
        return network(image).isnan().any(1)[0].any(1 - axis)[place].item()

    end = size_hw[axis] - 1
    first = bisect_left(range(end), True, key=lambda x: spoils(0, x))
    return first, bisect_left(range(end), True, key=lambda x: not spoils(x + 1, end))


@pytest.mark.parametrize(
    ("config", "length", "centre"),
    [
        (RESNET | {"depth": 18}, 896, 0.0),
        (RESNET | {"depth": 50}, 901, 0.0),
        (RESNET | {"type": "ResNetV1d", "depth": 50}, 896, 0.0),
        ({"type": "NarrowLateResNet", "base_channels": 4, "stem_channels": 4}, 896, 0.0),
        ({"type": "PreActivationResNet", "stage_channels": (2, 2, 2, 2, 2)}, 1024, 2.0),
        ({"type": "GreyVGG", "depth": 11}, 256, 15.5),
        (CONVNEXT, 1600, 15.5),
        ({"type": "EfficientNet", "arch": "b0"}, 1792, 31.0),
        ({"type": "EfficientNet", "arch": "b0"}, 1781, 20.0),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else str(value),
)
def test_a_backbone_sees_what_brute_force_says(config, length, centre):
    network = build(config)
    channels = 3 if config["type"] == "EfficientNet" else 1
    for axis, size_hw in enumerate([(length, 64), (64, length)]):
        field = fields_of(network, size_hw, channels)[axis]
        place = round((length / 2 - field.centre) / field.jump)
        seen = pixels_seen(network, size_hw, axis, place, channels)
        assert seen == tuple(field.jump * place + end for end in (field.first, field.last))
        assert 0 < seen[0] < seen[1] < length - 1
        assert field.centre == centre


@given(st.data())
def test_any_chain_sees_what_brute_force_says(data):
    layers, draw = [], data.draw
    for _ in range(draw(st.integers(1, 4))):
        kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        padding, dilation = draw(st.integers(0, kernel // 2)), draw(st.integers(1, 2))
        left, right = draw(st.integers(0, 2)), draw(st.integers(0, 2))
        layer = draw(
            st.sampled_from(
                [
                    nn.Conv2d(1, 1, (1, kernel), (1, stride), (0, padding), (1, dilation)),
                    nn.MaxPool2d((1, kernel), (1, stride), (0, padding), (1, dilation)),
                    nn.AvgPool2d((1, kernel), None, (0, padding)),
                    nn.ZeroPad2d((left, right, 0, 0)),
                    nn.ReplicationPad2d((left, right, 0, 0)),
                    nn.GELU(),
                ]
            )
        )
        layers.append(layer)
    network, size_hw = nn.Sequential(*layers), (1, draw(st.integers(230, 240)))
    _, field = fields_of(network, size_hw)
    place = round((size_hw[1] / 2 - field.centre) / field.jump)
    wanted = tuple(field.jump * place + end for end in (field.first, field.last))
    assert pixels_seen(network, size_hw, 1, place) == wanted


@pytest.mark.parametrize("size", [31, 32, 33, 34])
def test_a_pooling_that_rounds_up_is_understood(size):
    pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    assert fields_of(pool, (size, size))[0] == ReceptiveField(2, 0, 2)


def test_what_is_not_a_module_counts_as_well():
    def network(image):
        patches = F.unfold(F.pad(image, (0, 0, 1, 0)), 2, stride=2)
        return F.avg_pool2d(patches.reshape(1, 4, 16, 16), 2).relu()

    assert fields_of(network, (31, 32)) == (ReceptiveField(4, -1, 2), ReceptiveField(4, 0, 3))


def test_shortcuts_gates_and_attention_leave_the_places():
    conv, linear = nn.Conv2d(1, 4, 3, 2, 1), nn.Linear(4, 4)

    def network(image):
        cells = conv(image)
        gated = cells * cells.mean((2, 3), keepdim=True).sigmoid()
        tokens = gated.flatten(2).transpose(1, 2)
        looks = (linear(tokens) @ tokens.transpose(1, 2)).softmax(-1)
        return (tokens + looks @ tokens).transpose(1, 2).reshape(cells.shape)

    assert fields_of(network, (16, 24)) == (ReceptiveField(2, -1, 1),) * 2


def test_a_place_sees_the_hull_of_its_branches():
    left, right = nn.Conv2d(1, 1, 3, 2, 1), nn.Conv2d(1, 1, 4, 2)

    def network(image):
        return torch.cat([left(image), right(F.pad(image, (0, 2, 0, 2)))], 1)

    assert fields_of(network, (32, 32))[0] == ReceptiveField(2, -1, 3)


@pytest.mark.parametrize(
    "network",
    [
        lambda image: F.interpolate(image, scale_factor=2),
        lambda image: image[..., ::2],
        lambda image: image[..., 1:],
        lambda image: F.pixel_unshuffle(image, 2),
        lambda image: F.adaptive_avg_pool2d(image, 3),
        lambda image: nn.ConvTranspose2d(1, 1, 2, 2)(image),
        lambda image: image + F.interpolate(F.avg_pool2d(image, 2), scale_factor=2),
        lambda image: image.detach() * torch.ones(1, requires_grad=True),
        lambda image: image.detach(),
    ],
)
def test_what_is_not_understood_is_not_guessed(network):
    assert fields_of(network, (16, 16)) is None


def test_a_place_lies_on_the_centre_of_what_it_sees():
    """In the middle of a place, ``i + 0.5``, and in the middle of a pixel."""
    fields = fields_of(nn.Conv2d(1, 1, 7, (8, 4), (3, 1)), (64, 64))
    matrix = place_fields(fields)
    for row, column in ((0, 0), (3, 5)):
        seen_x, seen_y = (4 * column - 1, 4 * column + 5), (8 * row - 3, 8 * row + 3)
        x, y = matrix @ (column + 0.5, row + 0.5, 1)
        assert (x, y) == (sum(seen_x) / 2 + 0.5, sum(seen_y) / 2 + 0.5)
