"""One of K classes on K logits, equalised for rare classes, and with learned noise."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor

from mammography.functional.distributed import sum_over_processes
from mammography.functional.imbalance_losses import equalised_logits, label_gradients
from mammography.functional.loss_attenuation import class_log_probabilities
from mammography.models.heads.attenuation import Attenuation
from mammography.models.heads.outcome_layer import OutcomeLayer, checked_smoothing
from mammography.structures.task import Task


class MulticlassLayer(OutcomeLayer):
    """One of K classes without an order, by cross-entropy.

    A yes-or-no outcome on two logits is one of these: name it ``malignant:multiclass=0,1`` in
    ``tasks`` of the data sets too.

    The equalised softmax sums up what each class has learned from as a label, on all processes;
    the sums are buffers, so a checkpoint holds them. They start at one, which is the
    plain cross-entropy.

    Args:
        task: The outcome.
        in_channels: Channels of the features.
        loss: ``cross_entropy`` or ``equalised``.
        label_smoothing: In [0, 1): share of the label that is spread over all classes.
        tau: Exponent of the equalised softmax, at least 0; 1 unless given.
        attenuation: Learn the variance of each logit as well: arguments of
            :class:`~mammography.models.heads.attenuation.Attenuation` (``{}`` for its
            defaults); with ``cross_entropy`` only.

    Raises:
        ValueError: If there is no such loss, or an option does not go with it.
    """

    gradients: Tensor

    def __init__(
        self,
        task: Task,
        in_channels: int,
        *,
        loss: str = "cross_entropy",
        label_smoothing: float = 0.0,
        tau: float | None = None,
        attenuation: Mapping[str, Any] | None = None,
    ) -> None:
        classes = task.num_classes
        super().__init__(task, in_channels, classes if attenuation is None else 2 * classes)
        if loss not in ("cross_entropy", "equalised"):
            raise ValueError(f"loss must be 'cross_entropy' or 'equalised', got {loss!r}")
        self.equalised = loss == "equalised"
        if tau is not None and not (self.equalised and tau >= 0):
            raise ValueError(f"tau must be at least 0, with loss='equalised', got {tau}, {loss!r}")
        if attenuation is not None and self.equalised:
            raise ValueError(
                "attenuation must go with loss='cross_entropy', whose likelihood it averages, "
                f"got {loss!r}"
            )
        self.label_smoothing = checked_smoothing(label_smoothing)
        self.tau = 1.0 if tau is None else tau
        self.attenuation = None if attenuation is None else Attenuation(classes, **attenuation)
        if self.equalised:
            self.register_buffer("gradients", torch.ones(classes))

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the logits, ``(N, K)``; of learned noise their means."""
        return outputs[:, : self.task.num_classes]

    def losses(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each sample and ones.

        In training the equalised softmax takes part in an exchange of all processes.
        """
        targets, logits = labels.long(), outputs
        if self.equalised:
            logits = equalised_logits(outputs, targets, self.gradients.clone(), self.tau)
            if self.training:
                self.gradients += sum_over_processes(label_gradients(logits.detach(), targets))
        elif self.attenuation is not None:
            # Logarithms of probabilities are logits whose softmax changes nothing.
            logits = class_log_probabilities(self.attenuation(outputs))
        losses = F.cross_entropy(
            logits, targets, reduction="none", label_smoothing=self.label_smoothing
        )
        return losses, torch.ones_like(losses)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the probabilities of the classes, ``(N, K)``; of learned noise their means."""
        if self.attenuation is None:
            return outputs.softmax(1)
        return class_log_probabilities(self.attenuation(outputs)).exp()

    def uncertainty(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return the entropy and the mean variance of the logits, where that is learned."""
        if self.attenuation is None:
            return {}
        return self.attenuation.uncertainty(outputs, self.scores(outputs))
