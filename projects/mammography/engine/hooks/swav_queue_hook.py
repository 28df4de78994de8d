"""Start of the feature queue of SwAV."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model


@HOOKS.register_module()
class SwAVQueueHook(Hook):
    """Let the queue of ``GlobalSwAVLoss`` fill from an epoch on.

    Early features change fast and would only blur the codes. The queue itself is a
    buffer of the loss, so checkpoints carry it and there is nothing else to save.

    Args:
        start_epoch: Epochs without queue, >= 0.

    Raises:
        ValueError: If ``start_epoch`` is negative or the loss of the model's head has no
            queue.

    References:
        Caron et al., 2020, arXiv:2006.09882, section 4.1 (queue in small batches).
    """

    def __init__(self, start_epoch: int) -> None:
        if start_epoch < 0:
            raise ValueError(f"SwAVQueueHook: start_epoch must be >= 0, got {start_epoch}")
        self.start_epoch = start_epoch

    def before_train_epoch(self, runner: Runner) -> None:
        """Open or close the queue for the coming epoch."""
        loss: Any = getattr(get_ori_model(runner.model).head, "loss_module", None)
        if not hasattr(loss, "queue_enabled"):
            raise ValueError(
                "SwAVQueueHook: the loss of the model's head must be GlobalSwAVLoss, "
                f"got {type(loss).__name__}"
            )
        loss.queue_enabled = runner.epoch >= self.start_epoch
