"""One set of normalisation statistics for all processes."""

from typing import Any

from mmengine.dist import all_reduce, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


@HOOKS.register_module()
class AverageNormStatisticsHook(Hook):
    """Average the running mean and variance of BN over the processes after each epoch.

    Each process gathers them from its own images, and a checkpoint holds those of the
    first one. Without the hook every process would validate another model than the one
    that is saved. SyncBN has the same statistics everywhere already. (MMEngine's
    ``SyncBuffersHook`` averages all buffers, queues of features among them.)
    """

    priority = "NORMAL"

    def after_train_epoch(self, runner: Runner) -> None:
        """Average the statistics of the model and of its moving average, if there is one."""
        if get_world_size() == 1:
            return
        averaged: list[Any] = [getattr(hook, "ema_model", None) for hook in runner.hooks]
        for model in (runner.model, *averaged):
            if model is not None:
                _average(model)


def _average(model: nn.Module) -> None:
    for module in model.modules():
        if not isinstance(module, _BatchNorm) or isinstance(module, nn.SyncBatchNorm):
            continue
        for statistic in (module.running_mean, module.running_var):
            if statistic is not None:
                all_reduce(statistic, op="mean")
