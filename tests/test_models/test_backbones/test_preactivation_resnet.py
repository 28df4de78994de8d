from itertools import pairwise

import pytest
import torch
from mmpretrain.registry import MODELS
from timm.layers import BatchNormAct2d, create_conv2d
from timm.models.resnetv2 import ResNetV2
from torch import nn

from mammography.models.backbones.preactivation_resnet import PreActivationResNet


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_published_network_makes_46_x_30_of_2944_x_1920():
    """Shapes alone: nothing is computed."""
    with torch.device("meta"):
        (features,) = PreActivationResNet()(torch.empty(1, 1, 2944, 1920))
    assert features.shape == (1, 256, 46, 30)


def test_has_as_many_parameters_as_its_description():
    def block(before: int, channels: int) -> int:
        return 9 * channels * (before + channels) + 2 * (before + channels)

    channels = (16, 16, 32, 64, 128, 256)
    stages = [
        block(before, after) + before * after + block(after, after)
        for before, after in pairwise(channels)
    ]
    stem, last_norm = 49 * 16, 2 * 256
    assert count(PreActivationResNet()) == stem + sum(stages) + last_norm == 2_799_536


def timm_twin() -> ResNetV2:
    """Return timm's network of three stages, all of which change the number of channels."""
    twin = ResNetV2(
        layers=(2, 1, 2),
        channels=(16, 24, 32),
        num_classes=0,
        in_chans=1,
        stem_chs=8,
        bottle_ratio=1.0,
        stem_type="fixed",
        preact=True,
        basic=True,
        conv_layer=create_conv2d,
        norm_layer=BatchNormAct2d,
        zero_init_last=False,
    )
    twin.stem.pad = nn.Identity()  # timm knows this maximum only with padding
    return twin


def name_of(theirs: str) -> str:
    """Return our name of a weight of timm's network."""
    if theirs.startswith("norm."):
        return theirs.replace("norm", "bn")
    if theirs.startswith("stem."):
        return theirs.replace("stem.conv", "conv1")
    _, stage, _, block, *rest = theirs.split(".")
    layer = ".".join(rest).replace("norm", "bn").replace("downsample.conv", "shortcut")
    return f"layer{int(stage) + 1}.{block}.{layer}"


@pytest.mark.parametrize("training", [True, False])
def test_agrees_with_the_network_of_timm(training):
    torch.manual_seed(0)
    twin = timm_twin().double().train(training)
    for module in twin.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
    ours = PreActivationResNet(
        stem_channels=8, stage_channels=(16, 24, 32), stage_blocks=(2, 1, 2), strides=(1, 2, 2)
    ).double()
    ours.train(training)
    ours.load_state_dict({name_of(name): value for name, value in twin.state_dict().items()})
    images = torch.randn(2, 1, 75, 50, dtype=torch.float64)
    torch.testing.assert_close(ours(images)[0], twin.forward_features(images))


def test_convolutions_and_norms_can_be_of_another_kind():
    model = MODELS.build(
        {"type": "PreActivationResNet", "norm_cfg": {"type": "GN", "num_groups": 4}}
    )
    model.init_weights()
    kinds = {type(module) for module in model.modules()}
    assert nn.GroupNorm in kinds
    assert nn.BatchNorm2d not in kinds


def test_layers_can_be_recorded_with_their_gradients():
    """Nothing works in place, which hooks on the gradients do not survive."""
    model, seen = PreActivationResNet(), {}
    layer = model.get_submodule("layer4.1.bn2")
    layer.register_forward_hook(lambda _, __, out: seen.update(out=out.detach()))
    layer.register_full_backward_hook(lambda _, __, grads: seen.update(grad=grads[0]))
    model(torch.rand(2, 1, 128, 96))[0].sum().backward()
    assert seen["out"].shape == seen["grad"].shape == (2, 128, 4, 3)
    assert seen["out"].min() < 0


def test_stages_that_are_not_described_alike_are_refused():
    with pytest.raises(ValueError, match=r"of one length, got \(16, 32\), \(2, 2\), \(1,\)"):
        PreActivationResNet(stage_channels=(16, 32), stage_blocks=(2, 2), strides=(1,))
