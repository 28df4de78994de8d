"""Ordinal regression: K ordered classes as K - 1 questions "is it higher than class k?"."""

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor


def exceeded_levels(labels: Tensor, num_classes: int) -> Tensor:
    """Return for each label which classes it lies above.

    Shapes:
        labels: ``(N,)`` class indices; returns ``(N, K - 1)`` of zeros and ones.

    Example:
        >>> exceeded_levels(torch.tensor([0, 2]), 4).tolist()
        [[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    return (labels[:, None] > torch.arange(num_classes - 1, device=labels.device)).float()


def coral_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the CORAL loss of each sample: the cross-entropies of its K - 1 questions, summed.

    Shapes:
        logits ``(N, K - 1)``, labels ``(N,)``; returns ``(N,)``.

    References:
        Cao, Mirjalili & Raschka 2020, arXiv:1901.07884, equation 4.
    """
    levels = exceeded_levels(labels, logits.shape[1] + 1)
    return F.binary_cross_entropy_with_logits(logits, levels, reduction="none").sum(1)


def corn_losses(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the CORN loss of each sample and the number of questions it was asked.

    Question k is asked only of samples that lie above class k - 1, so the network
    learns conditional probabilities. The published loss is the sum of the first
    result over the sum of the second.

    Shapes:
        logits ``(N, K - 1)``, labels ``(N,)``; returns ``(N,)`` and ``(N,)``.

    References:
        Shi, Cao & Raschka 2021, arXiv:2111.08851, equation 5.
    """
    levels = exceeded_levels(labels, logits.shape[1] + 1)
    asked = torch.cat([torch.ones_like(levels[:, :1]), levels[:, :-1]], dim=1)
    losses = F.binary_cross_entropy_with_logits(logits, levels, reduction="none")
    return (losses * asked).sum(1), asked.sum(1)


def coral_exceedance(logits: Tensor) -> Tensor:
    """Return P(y > k) of CORAL logits, never rising with k.

    The shared weights keep the order once the biases are in order, which training
    reaches but no single step promises: the running minimum repairs the rest.

    Shapes:
        logits ``(N, K - 1)``; returns ``(N, K - 1)``.
    """
    return torch.sigmoid(logits).cummin(dim=1).values


def corn_exceedance(logits: Tensor) -> Tensor:
    """Return P(y > k) of CORN logits: the product of the conditional probabilities up to k.

    Shapes:
        logits ``(N, K - 1)``; returns ``(N, K - 1)``.
    """
    return torch.sigmoid(logits).cumprod(dim=1)


def class_probabilities(exceedance: Tensor) -> Tensor:
    """Return the probabilities of the K classes from P(y > k), k = 0 ... K - 2.

    Shapes:
        exceedance ``(N, K - 1)``, not rising along each row; returns ``(N, K)``.

    Example:
        >>> class_probabilities(torch.tensor([[0.75, 0.25]])).tolist()
        [[0.25, 0.5, 0.25]]
    """
    ones = torch.ones_like(exceedance[:, :1])
    bounds = torch.cat([ones, exceedance, torch.zeros_like(ones)], dim=1)
    return bounds[:, :-1] - bounds[:, 1:]
