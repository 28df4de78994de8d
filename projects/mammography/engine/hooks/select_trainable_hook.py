"""What of a model trains, as an explicit choice."""

from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mammography.engine.hooks.load_pretrained_hook import LoadPretrainedHook
from mammography.engine.trainable import (
    NormAffine,
    NormStatistics,
    TrainableChoice,
    describe_trainable,
)


@HOOKS.register_module()
class SelectTrainableHook(Hook):
    """Freeze parts of a model by type and by name; batch norm has two switches of its own.

    Batch norm and linear layers train, all convolutions are frozen (``bn_fc`` of the reference)::

        custom_hooks = [dict(type="SelectTrainableHook", freeze_types=("Conv2d",))]

    As there, that is every convolution, also a 1x1 one that stands for a linear layer (saliency
    maps, squeeze-and-excitation): ``train_names`` lets it train. And it is nothing else: layer
    norms, class tokens and positions train.

    A parameter is frozen if it lies in a layer of one of ``freeze_types``, if ``freeze_names``
    match, or if ``norm_affine`` freezes it; and ``train_names`` do not match. A frozen one has no
    gradient, so neither decay nor momentum moves it. The running statistics of batch norm
    are no parameters: in a layer whose weight and bias are frozen they go on following the
    images, unless ``norm_statistics`` says otherwise.

    It acts before the first step, on a model alone or in ``DistributedDataParallel``, which
    it builds anew, as that would wait for gradients that never come
    (``find_unused_parameters`` is not needed). ``model.train()`` at each epoch and after a
    validation undoes modes of layers: they are set again before every step. Loading and
    resuming stay as they are: the names in a checkpoint are the same.

    Args:
        freeze_types: Classes of layers, e.g. ``Conv2d``, ``Linear``; derived classes
            are meant too, and all parts of such a layer. ``BatchNorm`` is every batch norm.
        freeze_names: Regular expressions for full names of parameters or modules; a
            module's name stands for all in it: ``backbone``, ``backbone.layer[12]``.
        train_names: Exceptions, written in the same way.
        norm_affine: ``train`` or ``freeze``: weight and bias of every batch norm.
        norm_statistics: ``update``; ``freeze``: all batch norms normalise by their stored
            statistics and keep them; ``like_affine``: those whose weight and bias are frozen do.

    Raises:
        ValueError: If it freezes nothing or everything, a type or name matches nothing, there
            is no batch norm to freeze, or the model is in another parallel wrapper.

    References:
        Akyuez et al. 2025, arXiv:2508.15452 (``bn_fc``).
    """

    priority = "HIGHEST"

    def __init__(
        self,
        freeze_types: Sequence[str] = (),
        freeze_names: Sequence[str] = (),
        train_names: Sequence[str] = (),
        norm_affine: NormAffine = "train",
        norm_statistics: NormStatistics = "update",
    ) -> None:
        self.choice = TrainableChoice(
            freeze_types, freeze_names, train_names, norm_affine, norm_statistics
        )
        self._fixed: list[_BatchNorm] = []
        self._loaded = False
        self._told = False

    def before_run(self, runner: Runner) -> None:
        """Freeze, before anything is loaded or copied."""
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return  # a validation or a test alone
        self._select(runner)

    def _select(self, runner: Runner) -> None:
        """Make the choice, and the parallel wrapper anew where it would wait for another one."""
        place = type(self).__name__
        model = get_ori_model(runner.model)
        if is_model_wrapper(runner.model) and type(runner.model) is not MMDistributedDataParallel:
            raise ValueError(
                f"{place}: the model must be alone or in MMDistributedDataParallel, "
                f"got {type(runner.model).__name__}: drop model_wrapper_cfg"
            )
        trained = _trained(model)
        self._fixed = self._apply(model)
        if runner.model is not model and _trained(model) != trained:
            runner.model = model  # the old wrapper ends here, and its hooks on gradients
            runner.model = runner.wrap_model(runner.cfg.get("model_wrapper_cfg"), model)
            # With sync_bn the wrapper has put new batch norms in the places of the old ones.
            self._fixed = self._apply(get_ori_model(runner.model))

    def _apply(self, model: nn.Module) -> list[_BatchNorm]:
        """Freeze parameters; return the batch norms that must keep their statistics."""
        return self.choice.apply(model)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Note that the whole model has been loaded."""
        self._loaded = True

    def before_train(self, runner: Runner) -> None:
        """Warn of frozen weights that nobody has learned."""
        model = get_ori_model(runner.model)
        if not (self._loaded or _loads(runner) or _was_pretrained(model)) and any(
            not p.requires_grad and p.ndim > 1 for p in model.parameters()
        ):
            runner.logger.warning(
                f"{type(self).__name__}: frozen weights stay as they are, and none were loaded by "
                "load_from, LoadPretrainedHook or init_cfg: random ones would stay random"
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Put the batch norms that keep their statistics into evaluation mode."""
        for norm in self._fixed:
            norm.eval()
        if not self._told:
            self._told = True
            said = describe_trainable(get_ori_model(runner.model))
            runner.logger.info(f"{self._heading(runner)}: {said}")

    def _heading(self, runner: Runner) -> str:
        return type(self).__name__


def _trained(model: nn.Module) -> list[bool]:
    return [parameter.requires_grad for parameter in model.parameters()]


def _loads(runner: Runner) -> bool:
    """Tell whether a hook will load weights; it checks itself that frozen ones are among them."""
    return any(isinstance(hook, LoadPretrainedHook) for hook in runner.hooks)


def _was_pretrained(model: nn.Module) -> bool:
    configs = [getattr(module, "init_cfg", None) for module in model.modules()]
    each = [c for cfg in configs for c in (cfg if isinstance(cfg, list) else [cfg]) if c]
    return any(cfg.get("type") == "Pretrained" for cfg in each)
