import pytest
import timm
import torch
import torch.nn.functional as F  # noqa: N812
import torchvision
from mmpretrain.models import ConvNeXt, ResNet, TIMMBackbone

from mammography.functional.published_weights import rename_published
from mammography.functional.weight_transfer import transfer_state


def scramble(state):
    """Numbers of the size of trained ones, every tensor different."""
    generator = torch.Generator().manual_seed(0)
    for name, value in state.items():
        if value.is_floating_point():
            noise = torch.randn(value.shape, generator=generator) * 0.1
            state[name] = noise.abs() + 0.5 if value.ndim == 1 and "bias" not in name else noise
    return state


def load(model, file, layout):
    target = model.state_dict()
    renamed, left = rename_published(file, layout, target)
    state, report = transfer_state(renamed, target)
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    model.eval()
    return left, report


GRAY = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def convnext():
    theirs = timm.create_model("convnext_tiny", num_classes=2)
    theirs.load_state_dict(scramble(theirs.state_dict()))
    return theirs.eval()


@pytest.mark.parametrize("prefix", ["", "fmodels.0."])
def test_timms_convnext_computes_the_same_as_the_native_one_with_its_weights(convnext, prefix):
    file = {"state_dict": {prefix + name: value for name, value in convnext.state_dict().items()}}
    ours = ConvNeXt("tiny", in_channels=1, gap_before_final_norm=True)
    left, report = load(ours, file, "timm_convnext")
    assert left == (f"state_dict.{prefix}head.fc.weight", f"state_dict.{prefix}head.fc.bias")
    assert len(report.loaded) == report.total
    assert report.summed == ("downsample_layers.0.0.weight",)
    with torch.no_grad():
        expected = convnext.forward_head(
            convnext.forward_features(GRAY.expand(-1, 3, -1, -1)), pre_logits=True
        )
        torch.testing.assert_close(ours(GRAY)[0], expected, rtol=1e-4, atol=1e-4)


# Of the paper's table 1 (B0): stage repeats, output channels, kernel, stride.
STAGES = [(1, 16, 3, 1), (2, 24, 3, 2), (2, 40, 5, 2), (3, 80, 3, 2), (3, 112, 5, 1),
          (4, 192, 5, 2), (1, 320, 3, 1)]  # fmt: skip


def efficientnet_blocks():
    """Yield input, output, expansion, kernel and stride of each block."""
    into = 32
    for stage, (repeats, out, kernel, stride) in enumerate(STAGES):
        for repeat in range(repeats):
            yield into, out, 1 if stage == 0 else 6, kernel, stride if repeat == 0 else 1
            into = out


def efficientnet_state():
    """The names and shapes of efficientnet_pytorch's B0."""
    state = {}

    def conv(name, out, into, kernel, bias=False):
        state[f"{name}.weight"] = torch.empty(out, into, kernel, kernel)
        if bias:
            state[f"{name}.bias"] = torch.empty(out)

    def norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{part}"] = torch.empty(channels)

    conv("_conv_stem", 32, 3, 3)
    norm("_bn0", 32)
    for number, (into, out, expansion, kernel, _) in enumerate(efficientnet_blocks()):
        block, wide = f"_blocks.{number}", into * expansion
        if expansion > 1:
            conv(f"{block}._expand_conv", wide, into, 1)
            norm(f"{block}._bn0", wide)
        conv(f"{block}._depthwise_conv", wide, 1, kernel)
        norm(f"{block}._bn1", wide)
        conv(f"{block}._se_reduce", into // 4, wide, 1, bias=True)
        conv(f"{block}._se_expand", wide, into // 4, 1, bias=True)
        conv(f"{block}._project_conv", out, wide, 1)
        norm(f"{block}._bn2", out)
    conv("_conv_head", 1280, 320, 1)
    norm("_bn1", 1280)
    return scramble(state)


def efficientnet_features(state, x):
    """What the published network computes, written down from the paper."""

    def conv(name, x, stride=1, groups=1):
        weight, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
        pads = []
        for size in (x.shape[3], x.shape[2]):  # SAME, as TensorFlow
            total = max((-(-size // stride) - 1) * stride + weight.shape[-1] - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), weight, bias, stride, groups=groups)

    def norm(name, x):
        parts = (state[f"{name}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(x, *parts, eps=1e-3)

    x = F.silu(norm("_bn0", conv("_conv_stem", x, 2)))
    for number, (into, out, expansion, _, stride) in enumerate(efficientnet_blocks()):
        block, before = f"_blocks.{number}.", x
        if expansion > 1:
            x = F.silu(norm(f"{block}_bn0", conv(f"{block}_expand_conv", x)))
        x = conv(f"{block}_depthwise_conv", x, stride, groups=x.shape[1])
        x = F.silu(norm(f"{block}_bn1", x))
        squeezed = F.silu(conv(f"{block}_se_reduce", x.mean((2, 3), keepdim=True)))
        x = x * conv(f"{block}_se_expand", squeezed).sigmoid()
        x = norm(f"{block}_bn2", conv(f"{block}_project_conv", x))
        if stride == 1 and into == out:
            x = x + before
    return F.silu(norm("_bn1", conv("_conv_head", x)))


def test_the_efficientnet_of_mammo_clip_computes_the_same_as_timms_with_its_weights():
    state = efficientnet_state()
    file = {
        "model": {f"image_encoder.{name}": value for name, value in state.items()}
        | {"text_encoder.layer.weight": torch.ones(2, 2), "image_encoder._fc.bias": torch.ones(2)},
        "config": {"model": "clip"},
    }
    ours = TIMMBackbone("tf_efficientnet_b0", in_channels=1)
    left, report = load(ours.timm_model, file, "efficientnet_pytorch")
    assert left == ("model.image_encoder._fc.bias",)
    assert report.prefix == "model.image_encoder."
    assert report.summed == ("conv_stem.weight",)
    with torch.no_grad():
        expected = efficientnet_features(state, GRAY.expand(-1, 3, -1, -1))
        ours.eval()
        torch.testing.assert_close(ours(GRAY)[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("prefix", ["_model.", "image_encoder._model.", "module._model."])
def test_the_resnet_of_mirai_computes_the_same_as_the_native_one_with_its_weights(prefix):
    theirs = torchvision.models.resnet18()
    theirs.load_state_dict(scramble(theirs.state_dict()))
    theirs.eval()
    file = {}
    for name, value in theirs.state_dict().items():
        head, _, rest = name.partition(".")
        if head in {"conv1", "bn1"}:
            file[f"{prefix}downsampler.{name}"] = value
        elif head.startswith("layer"):
            file[f"{prefix}{head}_{rest}"] = value  # layer1.0.conv1 is layer1_0.conv1
    file |= {f"{prefix}{name}": torch.ones(2) for name in ("fc.bias", "pool.internal_pool.fc.bias")}
    ours = ResNet(18, in_channels=1)
    left, report = load(ours, file, "mirai_resnet")
    assert left == (f"{prefix}fc.bias", f"{prefix}pool.internal_pool.fc.bias")
    assert len(report.loaded) == report.total
    with torch.no_grad():
        theirs.avgpool = theirs.fc = torch.nn.Identity()
        expected = theirs(GRAY.expand(-1, 3, -1, -1)).view(2, 512, 2, 2)
        torch.testing.assert_close(ours(GRAY)[-1], expected, rtol=1e-4, atol=1e-4)


def test_a_network_of_another_size_is_refused_by_what_does_not_fit():
    file = {f"_blocks.{i}._bn1.bias": torch.ones(1) for i in range(17)}
    target = timm.create_model("tf_efficientnet_b0").state_dict()
    with pytest.raises(ValueError, match=r"must have the 16 blocks of the model, got _blocks\.16"):
        rename_published(file, "efficientnet_pytorch", target)


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("medical", r"layout must be one of timm_convnext, .*, got 'medical'"),
        ("timm_convnext", r"must have its names, got 'layer1_0\.conv1\.weight': choose another"),
    ],
)
def test_another_layout_is_refused(layout, message):
    with pytest.raises(ValueError, match=message):
        rename_published({"layer1_0.conv1.weight": torch.ones(1)}, layout, [])
