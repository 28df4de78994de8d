"""Yes or no on one logit, with losses for rare outcomes and with learned noise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss  # type: ignore[import-untyped]

from mammography.functional.imbalance_losses import asymmetric_losses
from mammography.functional.loss_attenuation import binary_log_probabilities
from mammography.functional.multi_task_loss import (
    binary_losses,
    binary_losses_of_log_probabilities,
)
from mammography.models.heads.attenuation import Attenuation
from mammography.models.heads.outcome_layer import OutcomeLayer, checked_smoothing
from mammography.structures.task import Task


@dataclass(frozen=True)
class CrossEntropy:
    """Binary cross-entropy.

    Attributes:
        pos_weight: Factor on the loss of positives, above 0; scores are then no longer
            calibrated. A sampler that balances the classes as well corrects twice.
        label_smoothing: In [0, 1): how far labels move towards 0.5.
    """

    pos_weight: float | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no weight or no share."""
        if self.pos_weight is not None and not self.pos_weight > 0:
            raise ValueError(f"pos_weight must be above 0, got {self.pos_weight}")
        checked_smoothing(self.label_smoothing)

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each sample, ``(N,)``."""
        return binary_losses(logits, labels, self.pos_weight, self.label_smoothing)

    def of_log_probabilities(self, log_probabilities: Tensor, labels: Tensor) -> Tensor:
        """Return the same of the logarithms of P(0) and P(1), ``(N, 2)``."""
        return binary_losses_of_log_probabilities(
            log_probabilities, labels, self.pos_weight, self.label_smoothing
        )


@dataclass(frozen=True)
class Focal:
    """Focal loss, ``(1 - p)^gamma`` times the cross-entropy, p being that of the label.

    Attributes:
        alpha: Weight of positives in [0, 1], negatives get ``1 - alpha``; below 0 there are
            no weights. The published 0.25 makes positives count a *third* of negatives, where
            easy negatives are already down-weighted by gamma: rare cancers need more than 0.5.
        gamma: Exponent, at least 0.

    References:
        Lin et al. 2017, arXiv:1708.02002, equation 5; computed by torchvision.
    """

    alpha: float = -1.0
    gamma: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what is no weight or no exponent."""
        if self.alpha > 1:
            raise ValueError(f"alpha must be at most 1 (below 0: no weights), got {self.alpha}")
        if not self.gamma >= 0:
            raise ValueError(f"gamma must be at least 0, got {self.gamma}")

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each sample, ``(N,)``."""
        losses: Tensor = sigmoid_focal_loss(logits, labels, self.alpha, self.gamma)
        return losses


@dataclass(frozen=True)
class Asymmetric:
    """Asymmetric loss: :func:`~mammography.functional.imbalance_losses.asymmetric_losses`.

    Attributes:
        gamma_positive: Exponent of positives, at least 0.
        gamma_negative: Exponent of negatives, at least 0.
        margin: Negatives of a probability below it teach nothing, in [0, 1).
    """

    gamma_positive: float = 0.0
    gamma_negative: float = 4.0
    margin: float = 0.05

    def __post_init__(self) -> None:
        """Refuse what is no exponent or no margin."""
        for name in ("gamma_positive", "gamma_negative"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if not 0 <= self.margin < 1:
            raise ValueError(f"margin must lie in [0, 1), got {self.margin}")

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of each sample, ``(N,)``."""
        return asymmetric_losses(
            logits, labels, self.gamma_positive, self.gamma_negative, self.margin
        )


LOSSES: dict[str, Callable[..., CrossEntropy | Focal | Asymmetric]] = {
    "bce": CrossEntropy,
    "focal": Focal,
    "asymmetric": Asymmetric,
}


class BinaryLayer(OutcomeLayer):
    """Yes or no, on one logit. The losses take the logit: the sigmoid is applied once.

    Args:
        task: The outcome.
        in_channels: Channels of the features.
        loss: ``bce``, ``focal`` or ``asymmetric``.
        attenuation: Learn the variance of the logit as well: arguments of
            :class:`~mammography.models.heads.attenuation.Attenuation` (``{}`` for its
            defaults); with ``bce`` only.
        **settings: Of the loss: fields of :class:`CrossEntropy`, :class:`Focal`,
            :class:`Asymmetric`.

    Raises:
        ValueError: If there is no such loss, or it does not go with attenuation.
    """

    def __init__(
        self,
        task: Task,
        in_channels: int,
        *,
        loss: str = "bce",
        attenuation: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(task, in_channels, 1 if attenuation is None else 2)
        if loss not in LOSSES:
            raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}")
        self.loss = LOSSES[loss](**settings)
        self.attenuation = None if attenuation is None else Attenuation(1, **attenuation)
        if self.attenuation is not None and not isinstance(self.loss, CrossEntropy):
            raise ValueError(
                f"attenuation must go with loss='bce', whose likelihood it averages, got {loss!r}"
            )

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the logit, ``(N, 1)``; of learned noise its mean."""
        return outputs[:, :1]

    def losses(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each sample and ones."""
        if self.attenuation is not None and isinstance(self.loss, CrossEntropy):
            averaged = self._log_probabilities(self.attenuation, outputs)
            losses = self.loss.of_log_probabilities(averaged, labels)
        else:
            losses = self.loss(outputs[:, 0], labels)
        return losses, torch.ones_like(losses)

    def scores(self, outputs: Tensor) -> Tensor:
        """Return the probability of class 1, ``(N,)``; of learned noise the mean over it."""
        if self.attenuation is None:
            return torch.sigmoid(outputs[:, 0])
        return self._log_probabilities(self.attenuation, outputs)[:, 1].exp()

    def uncertainty(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return the entropy and the variance of the logit, where that is learned."""
        if self.attenuation is None:
            return {}
        probabilities = self._log_probabilities(self.attenuation, outputs).exp()
        return self.attenuation.uncertainty(outputs, probabilities)

    @staticmethod
    def _log_probabilities(attenuation: Attenuation, outputs: Tensor) -> Tensor:
        return binary_log_probabilities(attenuation(outputs)[..., 0])
