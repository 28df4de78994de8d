import pytest
import torch
from torch import nn

from mammography.models.necks.residual_top_neck import ResidualTopNeck


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def bottleneck(entering, inside, leaving):
    """Weights of three convolutions without bias, and two numbers per channel of each norm."""
    weights = entering * inside + 9 * inside * inside + inside * leaving
    return weights + 2 * (inside + inside + leaving)


def test_top_of_the_port_has_the_published_number_of_parameters():
    assert count(ResidualTopNeck(stride=1)) + count(nn.Linear(1024, 2)) == 16_273_410


def test_top_of_the_original_has_a_shortcut_more():
    shortcut = 1024 * 1024 + 2 * 1024
    assert count(ResidualTopNeck()) == count(ResidualTopNeck(stride=1)) + shortcut == 17_321_984


def test_parameters_are_those_counted_by_hand():
    neck = ResidualTopNeck(in_channels=10, depths=(3, 5), repetitions=(1, 2), expansion=4)
    first = bottleneck(10, 3, 12) + 10 * 12 + 2 * 12
    second = bottleneck(12, 5, 20) + 12 * 20 + 2 * 20 + bottleneck(20, 5, 20)
    assert count(neck) == first + second


@pytest.mark.parametrize(("stride", "size"), [(2, (9, 7)), (1, (36, 28))])
def test_map_of_a_whole_image_becomes_as_small_as_published(stride, size):
    neck = ResidualTopNeck(8, (4, 4), (2, 2), stride=stride)
    out = neck.groups(torch.rand(1, 8, 36, 28))
    assert out.shape == (1, 8, *size)


def test_output_is_the_average_over_all_places():
    neck = ResidualTopNeck(8, (4, 4), (2, 2)).eval()
    x = torch.rand(2, 8, 9, 7)
    assert torch.equal(neck(x)[0], neck.groups(x).mean(dim=(2, 3)))


def test_convolutions_start_with_the_spread_of_kaiming_over_outputs():
    torch.manual_seed(0)
    neck = ResidualTopNeck(64, (128, 128))
    neck.init_weights()
    weight = neck.groups[0][0].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depths": (8, 8), "repetitions": (2,)}, r"one number >= 1 .* got \(8, 8\) and \(2,\)"),
        ({"depths": (), "repetitions": ()}, "one number >= 1"),
        ({"repetitions": (0, 1)}, "one number >= 1"),
        ({"stride": 3}, "stride must be 1 or 2, got 3"),
    ],
)
def test_groups_that_cannot_be_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"ResidualTopNeck: .*{message}"):
        ResidualTopNeck(16, **arguments)
