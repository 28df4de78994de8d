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


def entropy_parts(probabilities: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the total, the aleatoric and the epistemic uncertainty of M predictions.

    The entropy of their mean, the mean of their entropies, and the difference: the mutual
    information of label and weights, at least 0. It is epistemic if the M predictions are those of
    M sets of weights; of samples of a learned noise it is noise of the data.

    Shapes:
        probabilities: ``(M, ..., K)``, rows that sum to 1; returns three of ``(...)``.

    References:
        Houlsby et al. 2011, arXiv:1112.5745, equation 2; Depeweg et al. 2018, arXiv:1710.07283.

    Example:
        >>> sure_and_contrary = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> [round(float(part), 4) for part in entropy_parts(sure_and_contrary)]
        [0.6931, 0.0, 0.6931]
    """
    total = torch.special.entr(probabilities.mean(0)).sum(-1)
    aleatoric = torch.special.entr(probabilities).sum(-1).mean(0)
    return total, aleatoric, (total - aleatoric).clamp(min=0)  # rounding may make it negative
