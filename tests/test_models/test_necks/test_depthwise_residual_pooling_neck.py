import pytest
import torch
from torch import nn

from mammography.models.necks.depthwise_residual_pooling_neck import DepthwiseResidualPoolingNeck


def test_has_the_published_number_of_parameters_with_five_outputs():
    model = nn.Sequential(DepthwiseResidualPoolingNeck(), nn.Linear(1024, 5))
    assert sum(p.numel() for p in model.parameters()) == 536_837


@pytest.fixture
def neck():
    torch.manual_seed(0)
    neck = DepthwiseResidualPoolingNeck(8, inner_channels=4)
    neck.init_weights()
    return neck.eval()


@pytest.mark.parametrize("size", [(56, 32), (7, 5), (1, 1), (2, 3)])
def test_any_size_halves_and_pools(neck, size):
    x = torch.rand(2, 8, *size)
    half = neck.blocks[0](x)
    assert half.shape[2:] == tuple(-(-side // 2) for side in size)
    (pooled,) = neck((x,))
    assert pooled.shape == (2, 8)


def test_without_its_branches_it_averages(neck):
    """The border cells of an odd map average only what lies inside."""
    for block in neck.blocks:
        block.branch[2].bn.weight.data.zero_()
        block.branch[2].bn.bias.data.zero_()
    ones = torch.ones(1, 8, 5, 7)
    torch.testing.assert_close(neck(ones)[0], torch.ones(1, 8))
    x = torch.rand(1, 8, 8, 12)
    torch.testing.assert_close(neck(x)[0], x.mean(dim=(2, 3)))


def test_each_image_of_a_batch_is_alone(neck):
    x = torch.rand(3, 8, 9, 6)
    torch.testing.assert_close(neck(x)[0], torch.cat([neck(one[None])[0] for one in x]))


def test_every_parameter_learns(neck):
    neck.train()
    neck(torch.rand(4, 8, 16, 8))[0].square().sum().backward()
    assert not [n for n, p in neck.named_parameters() if p.grad is None or not p.grad.any()]


def test_no_block_is_refused():
    with pytest.raises(ValueError, match="num_blocks must be at least 1, got 0"):
        DepthwiseResidualPoolingNeck(num_blocks=0)
