import numpy as np
import pytest
import torch
from mmpretrain.models.losses import SwAVLoss
from torch.nn.functional import normalize

import swav_cases
from golden import golden
from mammography.models.losses.global_swav_loss import GlobalSwAVLoss
from ranks import run_on_ranks


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return normalize(torch.randn(5 * 6, 8, generator=generator), dim=1).requires_grad_()


def loss_pair(queue_length=0):
    """Our loss and MMPreTrain's with the same prototypes, 2 + 3 crops."""
    torch.manual_seed(1)
    theirs = SwAVLoss(feat_dim=8, num_prototypes=7, num_crops=[2, 3])
    ours = GlobalSwAVLoss(feat_dim=8, num_prototypes=7, num_crops=(2, 3), queue_length=queue_length)
    ours.prototypes.load_state_dict(theirs.prototypes.state_dict())
    return ours, theirs


def test_loss_and_gradients_are_those_of_mmpretrain_in_one_process(features):
    ours, theirs = loss_pair()
    losses = ours(features), theirs(features)
    torch.testing.assert_close(*losses)
    of_ours = torch.autograd.grad(losses[0], [features, ours.prototypes.weight])
    of_theirs = torch.autograd.grad(losses[1], [features, theirs.prototypes.weight])
    torch.testing.assert_close(of_ours, of_theirs)


def test_queue_gives_the_losses_of_mmpretrain_once_full():
    ours, theirs = loss_pair(queue_length=12)
    theirs.queue = torch.zeros(2, 12, 8)
    for step in range(4):
        generator = torch.Generator().manual_seed(step)
        features = normalize(torch.randn(5 * 6, 8, generator=generator), dim=1)
        torch.testing.assert_close(ours(features), theirs(features))
    torch.testing.assert_close(ours.queue, theirs.queue)


def test_golden_loss_from_identity_prototypes():
    case = golden("03_ssl_losses")["expected"]["swav_loss_T0.1"]
    scores = torch.tensor(case["high"] + case["low"])
    prototypes = scores.shape[-1]
    loss = GlobalSwAVLoss(prototypes, prototypes, num_crops=(2, len(scores) - 2))
    loss.prototypes.weight.data = torch.eye(prototypes)
    np.testing.assert_allclose(loss(scores.flatten(0, 1)).item(), case["loss"][0], rtol=1e-5)


def test_queue_waits_until_full_and_keeps_the_newest():
    torch.manual_seed(2)
    loss = GlobalSwAVLoss(2, 3, num_crops=(2,), queue_length=5)
    for step in range(1, 4):
        loss(torch.full((2 * 2, 2), float(step)))
        assert loss.queue_count == min(2 * step, 5)
    assert loss.queue[0, :, 0].tolist() == [3, 3, 2, 2, 1]


def test_a_closed_queue_is_neither_used_nor_filled(features):
    open_loss, _ = loss_pair(queue_length=6)
    closed, _ = loss_pair(queue_length=6)
    plain, _ = loss_pair()
    closed.queue_enabled = False
    for batch in (features.roll(1, dims=1), features):
        values = open_loss(batch), closed(batch), plain(batch)
    assert not torch.equal(values[0], values[2])
    torch.testing.assert_close(values[1], values[2], rtol=0, atol=0)
    assert closed.queue_count == 0
    assert not closed.queue.any()


def test_prototypes_have_unit_length_after_each_use(features):
    ours, _ = loss_pair()
    ours.prototypes.weight.data.mul_(3)
    ours(features)
    torch.testing.assert_close(ours.prototypes.weight.norm(dim=1), torch.ones(7))


def test_autocast_changes_nothing(features):
    (inside_loss, _), (outside_loss, _) = loss_pair(), loss_pair()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = inside_loss(features)
    torch.testing.assert_close(inside, outside_loss(features), rtol=0, atol=0)


@pytest.fixture(scope="module")
def alone():
    return swav_cases.train_steps()


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    return run_on_ranks(swav_cases.train_steps, tmp_path_factory.mktemp("ranks"))


def test_weights_and_queue_on_two_processes_are_those_of_one(alone, ranks):
    assert alone[4]["loss.queue_count"] == swav_cases.QUEUE_LENGTH
    for rank in ranks:
        torch.testing.assert_close(rank, alone, rtol=1e-8, atol=1e-8)


def test_a_checkpoint_of_two_processes_resumes_on_one(alone, ranks):
    resumed = swav_cases.train_steps(range(3, 5), state=ranks[0][2])
    torch.testing.assert_close(resumed[4], alone[4], rtol=1e-8, atol=1e-8)


def test_a_batch_that_is_no_multiple_of_the_crops_is_refused():
    with pytest.raises(ValueError, match=r"8 crops of every image .* got 9 features"):
        GlobalSwAVLoss(feat_dim=2)(torch.zeros(9, 2))


@pytest.mark.parametrize("crops", [(), (0, 2), (-1,)])
def test_crops_that_do_not_exist_are_refused(crops):
    with pytest.raises(ValueError, match="crops_for_assign must name some of at least 2 crops"):
        GlobalSwAVLoss(num_crops=(2,), crops_for_assign=crops)
