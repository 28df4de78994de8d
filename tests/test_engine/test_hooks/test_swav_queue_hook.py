from types import SimpleNamespace

import pytest
from torch import nn

from mammography.engine.hooks.swav_queue_hook import SwAVQueueHook


def runner_of(loss, epoch):
    model = nn.Module()
    model.head = nn.Module()
    model.head.loss_module = loss
    return SimpleNamespace(model=model, epoch=epoch)


@pytest.mark.parametrize(("epoch", "enabled"), [(0, False), (7, False), (8, True), (99, True)])
def test_queue_opens_at_its_epoch(epoch, enabled):
    loss = nn.Identity()
    loss.queue_enabled = True
    SwAVQueueHook(start_epoch=8).before_train_epoch(runner_of(loss, epoch))
    assert loss.queue_enabled is enabled


def test_a_loss_without_queue_is_refused():
    with pytest.raises(ValueError, match="must be GlobalSwAVLoss, got Identity"):
        SwAVQueueHook(start_epoch=8).before_train_epoch(runner_of(nn.Identity(), 0))


def test_a_negative_epoch_is_refused():
    with pytest.raises(ValueError, match="start_epoch must be >= 0, got -1"):
        SwAVQueueHook(start_epoch=-1)
