"""Last layer of one outcome: logits, loss and score for each kind of task."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn

from mammography.functional.ordinal import (
    class_probabilities,
    coral_exceedance,
    coral_losses,
    corn_exceedance,
    corn_losses,
)
from mammography.models.heads.binary_layer import BinaryLayer
from mammography.models.heads.multiclass_layer import MulticlassLayer
from mammography.models.heads.outcome_layer import OutcomeLayer
from mammography.structures.task import Task
from mammography.terms import TaskKind


class OrdinalLayer(OutcomeLayer):
    """One of K ordered classes, by CORN or CORAL.

    CORAL asks all K - 1 questions of one shared projection and moves only the bias;
    CORN gives each question its own weights and conditions it on the one before.

    Args:
        task: The outcome.
        in_channels: Channels of the features.
        method: ``corn`` or ``coral``.
    """

    def __init__(self, task: Task, in_channels: int, *, method: str = "corn") -> None:
        if method not in ("corn", "coral"):
            raise ValueError(f"method must be 'corn' or 'coral', got {method!r}")
        questions = task.num_classes - 1
        super().__init__(task, in_channels, questions if method == "corn" else 1)
        self.method = method
        if method == "coral":
            self.linear = nn.Linear(in_channels, 1, bias=False)
            # In order from the start: the higher the class, the rarer it is exceeded.
            self.biases = nn.Parameter(torch.arange(questions, 0, -1) / questions)

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits of the questions, ``(N, K - 1)``."""
        logits: Tensor = self.linear(features)
        return logits + self.biases if self.method == "coral" else logits

    def losses(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each sample, and ones (CORAL) or questions asked (CORN)."""
        if self.method == "corn":
            return corn_losses(outputs, labels)
        losses = coral_losses(outputs, labels)
        return losses, torch.ones_like(losses)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the probabilities of the classes, ``(N, K)``."""
        exceedance = corn_exceedance if self.method == "corn" else coral_exceedance
        return class_probabilities(exceedance(outputs))


class RegressionLayer(OutcomeLayer):
    """A number, by squared error or smooth L1.

    Args:
        task: The outcome.
        in_channels: Channels of the features.
        loss: ``mse`` or ``smooth_l1``.
        beta: Where smooth L1 turns from squared to absolute, in units of the label, > 0.
    """

    def __init__(
        self, task: Task, in_channels: int, *, loss: str = "mse", beta: float = 1.0
    ) -> None:
        if loss not in ("mse", "smooth_l1"):
            raise ValueError(f"loss must be 'mse' or 'smooth_l1', got {loss!r}")
        if not beta > 0:
            raise ValueError(f"beta must be above 0, got {beta}")
        super().__init__(task, in_channels, 1)
        self.loss, self.beta = loss, beta

    def losses(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each sample and ones."""
        if self.loss == "mse":
            losses = F.mse_loss(outputs[:, 0], labels, reduction="none")
        else:
            losses = F.smooth_l1_loss(outputs[:, 0], labels, reduction="none", beta=self.beta)
        return losses, torch.ones_like(losses)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the value, ``(N,)``."""
        return outputs[:, 0]


OUTCOME_LAYERS: dict[TaskKind, type[OutcomeLayer]] = {
    TaskKind.BINARY: BinaryLayer,
    TaskKind.MULTICLASS: MulticlassLayer,
    TaskKind.ORDINAL: OrdinalLayer,
    TaskKind.REGRESSION: RegressionLayer,
}


def build_outcome_layer(
    name: str, in_channels: int, kind: str = "", num_classes: int = 0, **options: Any
) -> OutcomeLayer:
    """Build the layer of a task from its entry in a config.

    Args:
        name: Name of the task.
        in_channels: Channels of the features.
        kind: ``binary``, ``multiclass``, ``ordinal`` or ``regression``.
        num_classes: K of multiclass and ordinal tasks.
        options: Further arguments of the layer of this kind.

    Raises:
        ValueError: If kind, number of classes or options do not suit each other; the
            message names the task.
    """
    kinds = [each.value for each in TaskKind]
    if kind not in kinds:
        raise ValueError(f"task {name}: kind must be one of {', '.join(kinds)}, got {kind!r}")
    try:
        classes = tuple(str(i) for i in range(num_classes))
        task = Task(name, TaskKind(kind), classes)
        return OUTCOME_LAYERS[task.kind](task, in_channels, **options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"task {name}: {error}") from error
