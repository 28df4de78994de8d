"""Stages of one training run: what trains, for how long, and how fast."""

import copy
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from mammography.engine.layer_choice import check_patterns
from mammography.engine.trainable import NormStatistics, TrainableChoice, check_matches

PLACE = "StagedTrainingHook"


@dataclass(frozen=True)
class TrainingStage:
    """One stage of a run.

    Attributes:
        epochs: How many, >= 1.
        trainable: Regular expressions for full names of parameters or modules, as in
            ``SelectTrainableHook``: ``head``, ``backbone.layer4.2``; ``.*`` is all.
        lr: Learning rate; that of the optimizer of the config if None.
        weight_decay: Likewise.
        param_scheduler: Configs of schedulers that count from the start of the stage and end
            with it; a constant rate if empty.
        norm_statistics: What the running statistics of batch norms do; see
            ``SelectTrainableHook``.
        place: Start of the messages.

    Raises:
        ValueError: If a value is none of those.
    """

    epochs: int
    trainable: Sequence[str]
    lr: float | None = None
    weight_decay: float | None = None
    param_scheduler: Sequence[Mapping[str, Any]] = ()
    norm_statistics: NormStatistics = "update"
    place: str = field(default=PLACE, compare=False)

    def __post_init__(self) -> None:  # noqa: D105
        if int(self.epochs) != self.epochs or self.epochs < 1:
            raise ValueError(f"{self.place}: epochs must be a number >= 1, got {self.epochs!r}")
        if not self.trainable:
            raise ValueError(f"{self.place}: trainable must name what trains, got nothing")
        hint = " ('.*' is everything)" if "*" in self.trainable else ""
        check_patterns(self.trainable, f"{self.place}: trainable{hint}")
        if self.lr is not None and not self.lr > 0:
            raise ValueError(f"{self.place}: lr must be above 0, got {self.lr}")
        if self.weight_decay is not None and not self.weight_decay >= 0:
            raise ValueError(f"{self.place}: weight_decay must be >= 0, got {self.weight_decay}")
        self._choice()  # refuses an unknown norm_statistics

    def _choice(self) -> TrainableChoice:
        return TrainableChoice(
            freeze_names=(".*",),
            train_names=tuple(self.trainable),
            norm_statistics=self.norm_statistics,
            place=self.place,
        )

    def apply(self, model: nn.Module) -> list[_BatchNorm]:
        """Freeze what does not train; return the batch norms that must keep their statistics.

        Raises:
            ValueError: If a pattern matches nothing, or the model itself freezes what should
                train.
        """
        check_matches(model, self.trainable, f"{self.place}: trainable")
        return self._choice().apply(model)

    def optim_wrapper(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the config of an optimizer wrapper with the rates of this stage."""
        changed: dict[str, Any] = copy.deepcopy(dict(given))
        rates = {"lr": self.lr, "weight_decay": self.weight_decay}
        changed["optimizer"].update({k: v for k, v in rates.items() if v is not None})
        return changed

    def schedulers(self, steps_per_epoch: int) -> list[dict[str, Any]]:
        """Return the configs of the schedulers, which end with the stage."""
        configs = [dict(copy.deepcopy(each)) for each in self.param_scheduler]
        for config in configs:
            by_epoch = config.get("by_epoch", True)
            config.setdefault("end", self.epochs * (1 if by_epoch else steps_per_epoch))
        return configs

    def to_json(self) -> dict[str, Any]:
        """Return what a resumed run must have in common with the interrupted one."""
        return {"epochs": self.epochs, "trainable": list(self.trainable)}


def read_stages(
    rows: Sequence[Mapping[str, Any]], norm_statistics: NormStatistics
) -> tuple[TrainingStage, ...]:
    """Read the stages of a config.

    Args:
        rows: Attributes of :class:`TrainingStage`, but for ``place``.
        norm_statistics: Of the stages that do not state their own.

    Raises:
        ValueError: If there is none, or a stage is not well described.

    Example:
        >>> head = dict(epochs=3, trainable=["head"], lr=1e-3)
        >>> read_stages([head, dict(epochs=5, trainable=[".*"])], "update")[1].epochs
        5
    """
    if not rows or isinstance(rows, Mapping):
        raise ValueError(f"{PLACE}: stages must be a list of one stage at least, got {rows!r}")
    known = set(inspect.signature(TrainingStage).parameters) - {"place"}
    stages = []
    for number, row in enumerate(rows):
        place = f"{PLACE}: stages[{number}]"
        if unknown := sorted(set(row) - known):
            raise ValueError(
                f"{place} must hold some of {', '.join(sorted(known))}, got {', '.join(unknown)}"
            )
        if missing := sorted({"epochs", "trainable"} - set(row)):
            raise ValueError(f"{place} must state {' and '.join(missing)}, got {dict(row)}")
        stages.append(TrainingStage(**{"norm_statistics": norm_statistics, **row}, place=place))
    return tuple(stages)


def first_epochs(stages: Sequence[TrainingStage]) -> list[int]:
    """Return the epoch, from 0, in which each stage begins.

    Example:
        >>> first_epochs([TrainingStage(3, ["head"]), TrainingStage(5, [".*"])])
        [0, 3]
    """
    return [0, *accumulate(stage.epochs for stage in stages[:-1])]


def stage_at(stages: Sequence[TrainingStage], epoch: int) -> int:
    """Return the number, from 0, of the stage that an epoch, from 0, lies in.

    Example:
        >>> stage_at([TrainingStage(3, ["head"]), TrainingStage(5, [".*"])], 3)
        1
    """
    return max(number for number, first in enumerate(first_epochs(stages)) if first <= epoch)


def keep_trainable(optimizer: Optimizer) -> None:
    """Take what does not train out of the groups of an optimizer, and groups left empty."""
    for group in optimizer.param_groups:
        group["params"] = [p for p in group["params"] if p.requires_grad]
    optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]
