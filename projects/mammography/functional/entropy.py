"""How undecided a prediction is, in nats."""

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor


def logit_entropy(logits: Tensor) -> Tensor:
    """Return the entropy of each prediction, differentiably.

    One logit ``z`` is the prediction of two classes with the logits ``[0, z]``. (A softmax
    over the one is 1 whatever it is, its entropy 0, and nothing is learned from that.)

    Shapes:
        logits: ``(N, K)`` of K classes, or ``(N, 1)`` or ``(N,)`` of yes or no.
        result: ``(N,)``.

    Example:
        >>> logit_entropy(torch.tensor([[0.0], [2.0]]))
        tensor([0.6931, 0.3653])
    """
    if logits.ndim == 1 or logits.shape[1] == 1:
        distance = logits.reshape(len(logits)).abs()  # as undecided for z as for -z
        return F.softplus(-distance) + distance * torch.sigmoid(-distance)
    return -(logits.softmax(1) * logits.log_softmax(1)).sum(1)


def probability_entropy(probabilities: Tensor) -> Tensor:
    """Return the entropy of each row of class probabilities, differentiably.

    Shapes:
        probabilities: ``(N, K)``, rows that sum to 1; returns ``(N,)``.

    Example:
        >>> probability_entropy(torch.tensor([[0.5, 0.5, 0.0]]))
        tensor([0.6931])
    """
    # The slope of p log p at 0 is infinite.
    smallest = torch.finfo(probabilities.dtype).tiny
    entropies: Tensor = torch.special.entr(probabilities.clamp(min=smallest))
    return entropies.sum(1)
