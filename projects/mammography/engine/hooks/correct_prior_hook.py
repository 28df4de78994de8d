"""Scores of a model that was trained with more positives than there are."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model
from torch import Tensor, nn

from mammography.functional.prior_shift import prior_shift
from mammography.terms import TaskKind


@HOOKS.register_module()
class CorrectPriorHook(Hook):
    """Move the log odds of a binary task to the share of positives of the population.

    After training on balanced batches half of the cases are positive to the model, and its
    scores say so; the order of the cases is not touched::

        custom_hooks = [dict(type="CorrectPriorHook", trained=0.5, population=0.02)]

    It acts in validation and test, so that a threshold chosen on the one fits the other, and
    leaves training and weights alone: what is added to the logits is not in the checkpoint. See
    :func:`~mammography.functional.prior_shift.prior_shift` for what it can and cannot mend.

    Args:
        trained: Share of positives that training saw, between 0 and 1: with a ``pos_weight`` w
            and a share p it is ``w p / (w p + 1 - p)``.
        population: Share of positives where the scores are used; not one of the test itself,
            which nobody knows before.
        task: Name of the task in a ``MaskedMultiTaskHead``.

    Raises:
        ValueError: If a share is not between 0 and 1, or the model has no such binary task.
    """

    def __init__(self, trained: float, population: float, task: str = "malignant") -> None:
        self.shift, self.task = prior_shift(trained, population), task
        self._handle: Any = None

    def before_val(self, runner: Runner) -> None:
        """Begin to move the logits."""
        model = get_ori_model(runner.model)
        while isinstance(model, BaseTTAModel):
            model = model.module
        layers: dict[str, Any] = getattr(model.head, "layers", {})
        binary = [name for name, one in layers.items() if one.task.kind is TaskKind.BINARY]
        if self.task not in binary:
            raise ValueError(
                "CorrectPriorHook: task must be a binary one of the head "
                f"({', '.join(binary) or 'none'}), got {self.task}"
            )
        self._handle = layers[self.task].register_forward_hook(self._move)

    def after_val(self, runner: Runner) -> None:
        """Leave the logits as they are again."""
        self._handle.remove()

    def before_test(self, runner: Runner) -> None:
        """Begin to move the logits."""
        self.before_val(runner)
        runner.logger.info(f"CorrectPriorHook: log odds of {self.task} move by {self.shift:.3f}")

    def after_test(self, runner: Runner) -> None:
        """Leave the logits as they are again."""
        self.after_val(runner)

    def _move(self, _layer: nn.Module, _given: Any, outputs: Tensor) -> Tensor:
        # The first output is the logit, also where a second one tells its variance.
        moved = outputs.clone()
        moved[:, 0] += self.shift
        return moved
