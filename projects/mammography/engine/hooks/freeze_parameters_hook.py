"""Parameters that the optimizer leaves alone at the start of training."""

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model
from torch import nn
from torch.optim import Optimizer


@HOOKS.register_module()
class FreezeParametersHook(Hook):
    """Skip the updates of some parameters for the first iterations.

    Their gradients are computed and dropped right before each optimizer step: neither
    the gradient nor decay or momentum moves them. Setting ``requires_grad`` to False
    instead would change the set of parameters that ``DistributedDataParallel`` waits
    for, which it does not allow once it is built (hence the
    ``find_unused_parameters=True`` of other SwAV configs, not needed here).

    Args:
        prefixes: Beginnings of the parameters' names in the model, e.g.
            ``("head.loss_module.prototypes",)``.
        num_iters: Number of training iterations to skip, >= 0.

    Raises:
        ValueError: If ``num_iters`` is negative or a prefix names no parameter.
    """

    def __init__(self, prefixes: Sequence[str], num_iters: int) -> None:
        if num_iters < 0:
            raise ValueError(f"FreezeParametersHook: num_iters must be >= 0, got {num_iters}")
        self.prefixes = tuple(prefixes)
        self.num_iters = num_iters
        self._frozen: list[nn.Parameter] = []
        self._iteration = 0

    def before_train(self, runner: Runner) -> None:
        """Find the parameters and stand before the step of each optimizer."""
        named = dict(get_ori_model(runner.model).named_parameters())
        for prefix in self.prefixes:
            if not any(name.startswith(prefix) for name in named):
                raise ValueError(
                    f"FreezeParametersHook: prefixes must begin names of parameters, got {prefix!r}"
                )
        self._frozen = [p for name, p in named.items() if name.startswith(self.prefixes)]
        wrapper = runner.optim_wrapper
        wrappers = wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]
        for each in wrappers:
            each.optimizer.register_step_pre_hook(self._drop_gradients)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Note the iteration, which a resumed run continues."""
        self._iteration = runner.iter

    def _drop_gradients(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        if self._iteration < self.num_iters:
            for parameter in self._frozen:
                parameter.grad = None
