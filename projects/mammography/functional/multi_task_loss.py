"""Losses of several outcomes, of which any sample may miss any label."""

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor


def binary_losses(
    logits: Tensor, labels: Tensor, pos_weight: float | None = None, label_smoothing: float = 0.0
) -> Tensor:
    """Return the binary cross-entropy of each sample.

    Shapes:
        logits ``(N,)``, labels ``(N,)`` of 0 and 1; returns ``(N,)``.

    Args:
        logits: Before the sigmoid.
        labels: 0 or 1.
        pos_weight: Factor on the loss of positives. The mean stays over N samples
            (not over their weights), and the outputs are no longer calibrated.
        label_smoothing: Labels move this share of the way towards 0.5.
    """
    return F.binary_cross_entropy_with_logits(
        logits,
        labels * (1 - label_smoothing) + label_smoothing / 2,
        pos_weight=None if pos_weight is None else logits.new_tensor(pos_weight),
        reduction="none",
    )


def binary_losses_of_log_probabilities(
    log_probabilities: Tensor,
    labels: Tensor,
    pos_weight: float | None = None,
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the binary cross-entropy of each sample, of logarithms of its probabilities.

    Shapes:
        log_probabilities ``(N, 2)`` of class 0 and 1, labels ``(N,)``; returns ``(N,)``.

    Args:
        log_probabilities: Of a prediction that is no single logit, as a mean over samples.
        labels: 0 or 1.
        pos_weight: As in :func:`binary_losses`.
        label_smoothing: As in :func:`binary_losses`.

    Example:
        >>> binary_losses_of_log_probabilities(torch.tensor([[0.25, 0.75]]).log(), torch.ones(1))
        tensor([0.2877])
    """
    positive = labels * (1 - label_smoothing) + label_smoothing / 2
    of_positive = positive * log_probabilities[:, 1] * (1.0 if pos_weight is None else pos_weight)
    return -of_positive - (1 - positive) * log_probabilities[:, 0]


def mean_over_processes(losses: Tensor, total: Tensor, world_size: int = 1) -> Tensor:
    """Return this process's share of the mean over the samples of all processes.

    Data-parallel training averages gradients over processes. A mean over the local
    labels would weigh a process with one label like a process with fifty; this one
    gives, after that averaging, the gradient of the mean over all labels. A process
    without a label gives a zero that still hangs on the graph, so nobody waits for it.

    Shapes:
        losses ``(N,)`` of the observed local samples, N may be 0; the rest scalars.

    Args:
        losses: Loss of each observed sample, already multiplied by its weight.
        total: Sum of the weights over all processes.
        world_size: Number of processes.

    Example:
        >>> mean_over_processes(torch.tensor([1.0, 2.0]), torch.tensor(4.0), world_size=2)
        tensor(1.5000)
        >>> mean_over_processes(torch.zeros(0), torch.tensor(0.0))
        tensor(0.)
    """
    return losses.sum() * world_size / total.clamp(min=1)


def uncertainty_weighted(
    loss: Tensor, log_variance: Tensor, observed: Tensor, *, regression: bool = False
) -> Tensor:
    """Weigh the loss of a task by its learned homoscedastic uncertainty.

    ``c exp(-s) loss + s / 2``: it may be negative, which is no fault. Without the
    factor ``observed`` a batch that has no label of the task would drive ``s`` down.

    Shapes:
        Scalars.

    Args:
        loss: Mean loss of the task.
        log_variance: The learned ``s``.
        observed: 1 if any process has a label of the task, else 0.
        regression: c is 1/2 for a squared error, 1 for a cross-entropy.

    References:
        Kendall, Gal & Cipolla 2018, arXiv:1705.07115, equations 7 and 10.
    """
    scale = 0.5 if regression else 1.0
    return scale * torch.exp(-log_variance) * loss + observed * log_variance / 2
