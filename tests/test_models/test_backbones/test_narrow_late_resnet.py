import pytest
import torch
import torchvision
from mmpretrain.registry import MODELS
from torch import nn

from mammography.models.backbones.narrow_late_resnet import NarrowLateResNet


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = NarrowLateResNet(in_channels=3, out_indices=(0, 1, 2, 3))
    model.eval()  # returns nothing in MMPreTrain
    return model


def test_has_the_published_number_of_parameters(model):
    assert sum(p.numel() for p in model.parameters()) == 16_838_208


def test_stages_give_the_published_channels_at_the_strides_of_a_resnet(model):
    with torch.no_grad():
        maps = model(torch.rand(1, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (256, 16, 24),
        (256, 8, 12),
        (512, 4, 6),
        (1024, 2, 3),
    ]
    assert model.feat_dim == 1024


def test_stem_and_first_stage_are_those_of_torchvision(model):
    """With the same weights they give the same numbers."""
    reference = torchvision.models.resnet50().eval()
    stem = ("conv1.", "bn1.", "layer1.")
    weights = {k: v for k, v in reference.state_dict().items() if k.startswith(stem)}
    assert model.load_state_dict(weights, strict=False).unexpected_keys == []
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        r = reference
        want = r.layer1(r.maxpool(r.relu(r.bn1(r.conv1(x)))))
        torch.testing.assert_close(model(x)[0], want)


def test_inner_widths_are_those_of_a_resnet_50(model):
    reference = torchvision.models.resnet50()
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        ours, theirs = getattr(model, stage), getattr(reference, stage)
        assert [b.conv2.weight.shape for b in ours] == [b.conv2.weight.shape for b in theirs]


def test_equal_expansions_make_it_a_resnet_50():
    ours = NarrowLateResNet(expansions=(4, 4, 4, 4), in_channels=3)
    shapes = {k: v.shape for k, v in ours.state_dict().items()}
    reference = torchvision.models.resnet50().state_dict()
    assert shapes == {k: v.shape for k, v in reference.items() if not k.startswith("fc.")}


def test_frozen_stages_neither_learn_nor_count():
    model = NarrowLateResNet(frozen_stages=4)
    model.train()
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    model = NarrowLateResNet(frozen_stages=2)
    model.train()
    learning = {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad}
    assert learning == {"layer3", "layer4"}


def test_layer_decay_counts_the_layers_as_in_a_resnet_50():
    names = [
        "backbone.conv1.weight",
        "backbone.layer2.3.conv1.weight",
        "backbone.layer4.0.bn1.bias",
    ]
    reference = MODELS.build({"type": "ResNet", "depth": 50})
    ours = NarrowLateResNet()
    for name in names:
        assert ours.get_layer_depth(name, "backbone.") == reference.get_layer_depth(
            name, "backbone."
        )


def test_drop_path_grows_along_all_blocks_and_drops():
    model = NarrowLateResNet(drop_path_rate=0.3)
    blocks = [b for i in range(1, 5) for b in getattr(model, f"layer{i}")]
    rates = [getattr(b.drop_path, "drop_prob", 0.0) for b in blocks]
    assert rates == pytest.approx(torch.linspace(0, 0.3, 16).tolist())


def test_a_mammogram_has_one_channel_by_default():
    assert NarrowLateResNet(num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))(
        torch.rand(1, 1, 32, 32)
    )[0].shape == (1, 256, 8, 8)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 18}, "depth must be 50, 101 or 152, got 18"),
        ({"expansion": 2}, "expansion must be given by stage"),
        ({"expansions": (4, 2)}, r"expansions must be 4 positive numbers, got \(4, 2\)"),
        ({"expansions": (4, 2, 0, 2)}, "expansions must be 4 positive numbers"),
    ],
)
def test_what_makes_no_network_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NarrowLateResNet(**options)
