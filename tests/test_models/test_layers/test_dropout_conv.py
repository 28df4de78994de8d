"""Dropout behind every convolution: which layers get it, what it does, whose weights it takes."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

from mammography.models.layers.dropout_conv import DropoutConv2d
from mammography.models.tta.dropout_masks import dropout_layers, dropout_masks

RATE = 0.25


def backbone(kind="mmpretrain.ResNet", **settings):
    init_default_scope("mmpretrain")  # As a runner does.
    torch.manual_seed(0)
    model = MODELS.build(dict(type=kind, depth=18, **settings))
    model.eval()
    return model


@pytest.mark.parametrize("kind", ["mmpretrain.ResNet", "mmpretrain.ResNetV1d"])
def test_every_convolution_of_a_backbone_gets_it_and_takes_the_weights_of_a_plain_one(kind):
    plain = backbone(kind)
    dropping = backbone(kind, conv_cfg={"type": "DropoutConv2d", "drop_rate": RATE})
    convolutions = [layer for layer in dropping.modules() if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == sum(isinstance(layer, nn.Conv2d) for layer in plain.modules())
    assert all(isinstance(layer, DropoutConv2d) for layer in convolutions)
    assert [layer.p for layer in dropout_layers(dropping)] == [RATE] * len(convolutions)
    dropping.load_state_dict(plain.state_dict(), strict=True)
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(dropping(image), plain(image))


def test_whole_channels_are_dropped_and_the_mean_stays():
    layer = DropoutConv2d(1, 4000, 3, padding=1, drop_rate=RATE, bias=False).train()
    nn.init.constant_(layer.weight, 1 / 9)
    with torch.no_grad():
        found = layer(torch.ones(1, 1, 5, 5))[0, :, 1:-1, 1:-1].flatten(1)
    assert (found == found[:, :1]).all()
    assert float((found[:, 0] == 0).float().mean()) == pytest.approx(RATE, abs=0.03)
    assert float(found.mean()) == pytest.approx(1, abs=0.05)


def test_draws_of_the_weights_differ():
    model = backbone(conv_cfg={"type": "DropoutConv2d", "drop_rate": RATE})
    image = torch.rand(1, 3, 64, 64)
    draws = []
    for number in range(2):
        with torch.no_grad(), dropout_masks(model, seed=0, number=number):
            draws.append(model.conv1(image))
    assert not torch.equal(*draws)


@pytest.mark.parametrize("rate", [-0.1, 1.5])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match="between 0 and 1"):
        DropoutConv2d(1, 1, 1, drop_rate=rate)
