import pytest
import torch

from mammography.models.necks.vgg_top_neck import VggTopNeck


def test_published_block_is_one_convolution_with_its_norm():
    assert sum(p.numel() for p in VggTopNeck().parameters()) == 9 * 512 * 512 + 2 * 512


def test_each_block_halves_the_map_before_the_average():
    neck = VggTopNeck(4, depths=(6, 3), repetitions=(1, 2)).eval()
    x = torch.rand(2, 4, 36, 28)
    assert neck.groups(x).shape == (2, 3, 9, 7)
    assert torch.equal(neck((x,))[0], neck.groups(x).mean(dim=(2, 3)))


def test_blocks_that_are_not_described_one_by_one_are_refused():
    with pytest.raises(ValueError, match=r"VggTopNeck: .* got \(4,\) and \(1, 2\)"):
        VggTopNeck(4, depths=(4,), repetitions=(1, 2))
