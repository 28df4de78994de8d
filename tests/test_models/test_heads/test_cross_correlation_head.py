import pytest
import torch
from mmpretrain.models.heads import LatentCrossCorrelationHead

from mammography.models.heads.cross_correlation_head import GlobalCrossCorrelationHead


def test_loss_and_gradients_are_those_of_mmpretrain_in_one_process():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 16, 6, generator=generator).requires_grad_()
    theirs = LatentCrossCorrelationHead(
        in_channels=6, loss={"type": "CrossCorrelationLoss", "lambd": 0.02}
    ).loss(z[0], z[1])
    ours = GlobalCrossCorrelationHead(redundancy_weight=0.02).loss(z[0], z[1])
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, z), torch.autograd.grad(theirs, z))


def test_head_has_no_state():
    assert not GlobalCrossCorrelationHead().state_dict()


def test_negative_weight_is_refused():
    with pytest.raises(ValueError, match="redundancy_weight must be >= 0, got -1"):
        GlobalCrossCorrelationHead(redundancy_weight=-1)
