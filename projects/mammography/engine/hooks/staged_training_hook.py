"""Several stages of training, each with parameters and rates of its own, in one run."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mammography.engine.hooks.select_trainable_hook import SelectTrainableHook
from mammography.engine.trainable import NormStatistics
from mammography.engine.training_stages import (
    PLACE,
    first_epochs,
    keep_trainable,
    read_stages,
    stage_at,
)

_IN_CHECKPOINT = "staged_training"


@HOOKS.register_module()
class StagedTrainingHook(SelectTrainableHook):
    """Train the head, then its neighbours, then all, in one run that can be resumed anywhere.

    The patch classifier of the end2end system::

        custom_hooks = [
            dict(
                type="StagedTrainingHook",
                stages=[
                    dict(epochs=3, trainable=["head"], lr=1e-3, weight_decay=1e-4),
                    dict(epochs=10, trainable=["backbone.layer4.2", "head"], lr=1e-4),
                    dict(epochs=37, trainable=[".*"], lr=1e-5),
                ],
            )
        ]

    Each stage begins with a new optimizer: the wrapper of the config (``paramwise_cfg``, mixed
    precision, accumulation) with the rates of the stage and only the parameters that train.
    Moments, step counts and the loss scale start anew; gradients that are still accumulated
    at the end of a stage make a last, smaller step. The log says what trains, with counts.

    A frozen layer is still in training mode, as in the original: the running statistics of
    its batch norm follow the images. ``norm_statistics="like_affine"`` or ``"freeze"`` hold
    them, for all stages or in one of them.

    A checkpoint holds its stage, so a run resumed inside any stage or between two ends with
    the weights of an uninterrupted one, where the training loop allows it
    (``ReproducibleEpochLoop``).

    Args:
        stages: ``epochs``, ``trainable`` and some of ``lr``, ``weight_decay``,
            ``param_scheduler``, ``norm_statistics`` for each; see
            :class:`~mammography.engine.training_stages.TrainingStage`.
        norm_statistics: Of the stages that do not state their own.

    Raises:
        ValueError: If a stage is not well described or matches nothing, the epochs do not
            add up to ``max_epochs``, ``param_scheduler`` of the config is not empty, there
            are several optimizers, or a resumed checkpoint is of other stages.

    References:
        Shen et al. 2019, Scientific Reports 9:12495 (three-stage training of a patch network).
    """

    def __init__(
        self, stages: Sequence[Mapping[str, Any]], norm_statistics: NormStatistics = "update"
    ) -> None:
        super().__init__(freeze_names=(".*",), norm_statistics=norm_statistics)
        self.stages = read_stages(stages, norm_statistics)
        self._stage = 0
        self._active = False
        self._own: dict[str, bool] = {}

    def before_run(self, runner: Runner) -> None:
        """Check the stages against the run and begin with the first."""
        if not isinstance(runner.optim_wrapper, OptimWrapper):
            return  # a validation or a test alone
        self._check_run(runner)
        model = get_ori_model(runner.model)
        self._own = {name: p.requires_grad for name, p in model.named_parameters()}
        for stage in reversed(self.stages):  # a name that matches nothing must not come up late
            self._restore(model)
            stage.apply(model)
        self._restore(model)
        self._active = True
        self._enter(runner, 0)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Go to the stage of a checkpoint that is resumed, before its optimizer is loaded."""
        super().after_load_checkpoint(runner, checkpoint)
        if self._active and runner._resume:
            self._enter(runner, self._stage_of(checkpoint))

    def before_train(self, runner: Runner) -> None:
        """Count accumulated gradients from the start of the stage."""
        super().before_train(runner)
        self._count_steps(runner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin the next stage when the last one is over."""
        if (stage := stage_at(self.stages, runner.epoch)) != self._stage:
            self._enter(runner, stage)
            self._count_steps(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Note the stage that the optimizer in the checkpoint belongs to."""
        seen = [stage.to_json() for stage in self.stages[: self._stage + 1]]
        checkpoint[_IN_CHECKPOINT] = {"stage": self._stage, "stages": seen}

    def _check_run(self, runner: Runner) -> None:
        if isinstance(runner.optim_wrapper, OptimWrapperDict):
            raise ValueError(  # noqa: TRY004 (errors of a config, as all others here)
                f"{PLACE}: there must be one optimizer, got several"
            )
        if not isinstance(runner.cfg.get("optim_wrapper"), Mapping):
            raise ValueError(  # noqa: TRY004
                f"{PLACE}: optim_wrapper must be a config: it is built at each stage"
            )
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(  # noqa: TRY004
                f"{PLACE}: train_cfg must train by epochs, got {type(runner.train_loop).__name__}"
            )
        if runner.param_schedulers:
            raise ValueError(
                f"{PLACE}: param_scheduler of the config must be empty, "
                f"got {len(runner.param_schedulers)}: give each stage its own"
            )
        epochs = [stage.epochs for stage in self.stages]
        if sum(epochs) != runner.max_epochs:
            raise ValueError(
                f"{PLACE}: epochs of the stages must add up to max_epochs={runner.max_epochs}, "
                f"got {' + '.join(map(str, epochs))} = {sum(epochs)}"
            )

    def _enter(self, runner: Runner, number: int) -> None:
        """Freeze, and build optimizer and schedulers anew."""
        stage = self.stages[number]
        self._stage, self._told = number, False
        self._select(runner)
        runner.param_schedulers = []
        runner.optim_wrapper = runner.build_optim_wrapper(
            stage.optim_wrapper(runner.cfg.optim_wrapper)
        )
        keep_trainable(runner.optim_wrapper.optimizer)
        runner.scale_lr(runner.optim_wrapper, runner.auto_scale_lr)
        schedulers = stage.schedulers(len(runner.train_dataloader))
        runner.param_schedulers = runner.build_param_scheduler(schedulers)

    def _apply(self, model: nn.Module) -> list[_BatchNorm]:
        self._restore(model)
        return self.stages[self._stage].apply(model)

    def _restore(self, model: nn.Module) -> None:
        """Let all train that the model itself lets train."""
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(self._own[name])

    def _count_steps(self, runner: Runner) -> None:
        steps = len(runner.train_dataloader)
        first = first_epochs(self.stages)[self._stage]
        runner.optim_wrapper.initialize_count_status(
            runner.model,
            runner.iter - first * steps,
            self.stages[self._stage].epochs * steps,
        )

    def _stage_of(self, checkpoint: dict[str, Any]) -> int:
        """Return the stage that a checkpoint was written in.

        Raises:
            ValueError: If it was written without stages, or with others.
        """
        if _IN_CHECKPOINT not in checkpoint:
            raise ValueError(
                f"{PLACE}: resume: the checkpoint must be of a run in stages, got one without: "
                "start from its weights with load_from"
            )
        number, seen = (checkpoint[_IN_CHECKPOINT][key] for key in ("stage", "stages"))
        ours = [stage.to_json() for stage in self.stages[: number + 1]]
        # The stage that is interrupted may be made longer.
        same = len(ours) == len(seen) and ours[:-1] == seen[:-1]
        if not (same and ours[-1]["trainable"] == seen[-1]["trainable"]):
            raise ValueError(
                f"{PLACE}: resume: stages that the checkpoint has seen must stay as they were, "
                f"{seen}, got {ours}"
            )
        return int(number)

    def _heading(self, runner: Runner) -> str:
        first = first_epochs(self.stages)[self._stage] + 1
        last = first + self.stages[self._stage].epochs - 1
        groups = runner.optim_wrapper.optimizer.param_groups
        rates = ", ".join(f"{rate:g}" for rate in dict.fromkeys(g["lr"] for g in groups))
        decays = ", ".join(f"{d:g}" for d in dict.fromkeys(g["weight_decay"] for g in groups))
        return (
            f"{PLACE}: stage {self._stage + 1} of {len(self.stages)}, epochs {first} to {last}, "
            f"lr {rates}, weight decay {decays}"
        )
