"""Losses for outcomes that few images have."""

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor


def asymmetric_losses(
    logits: Tensor,
    labels: Tensor,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    margin: float = 0.05,
) -> Tensor:
    """Return the asymmetric loss of each sample: easy negatives count little, or nothing.

    ``-(1 - p)^gamma_positive log p`` for positives and ``-q^gamma_negative log(1 - q)`` with
    ``q = max(p - margin, 0)`` for negatives. With equal exponents and no margin it is the
    focal loss without alpha.

    Shapes:
        logits and labels ``(N,)``, labels 0 or 1; returns ``(N,)``.

    Args:
        logits: Before the sigmoid.
        labels: 0 or 1.
        gamma_positive: Exponent of positives, at least 0.
        gamma_negative: Exponent of negatives, at least 0.
        margin: Negatives of a probability below it teach nothing, in [0, 1).

    References:
        Ridnik et al. 2021, arXiv:2009.14119, equations 4 to 7.

    Example:
        >>> easy = torch.tensor([-1.0, 4.0])
        >>> asymmetric_losses(easy, torch.tensor([0.0, 1.0]))
        tensor([0.0006, 0.0181])
    """
    of_positives = -((1 - torch.sigmoid(logits)) ** gamma_positive) * F.logsigmoid(logits)
    # 1 - q, and its logarithm where a probability near 1 leaves no digits to subtract from.
    rest = (torch.sigmoid(-logits) + margin).clamp(max=1)
    log_rest = rest.log() if margin else F.logsigmoid(-logits)
    # The slope of q^gamma at 0 is infinite for exponents below 1.
    shifted = (torch.sigmoid(logits) - margin).clamp(min=torch.finfo(logits.dtype).tiny)
    of_negatives = -(shifted**gamma_negative) * log_rest
    return torch.where(labels > 0.5, of_positives, of_negatives)


def equalised_logits(
    logits: Tensor, labels: Tensor, gradients: Tensor, tau: float = 1.0, smallest: float = 1e-4
) -> Tensor:
    """Raise and lower the logits of the other classes by what each class has learned from.

    With ``G_k`` the sum of the gradients that class k got as the label, the logit of class j of
    a sample of class i gets ``log max((G_j / G_i)^tau, smallest)``: a rare label has to win
    against frequent classes by more, and a frequent one hardly pushes rare classes down. Of
    gradients in proportion to the numbers of images this is the balanced softmax.

    Shapes:
        logits ``(N, K)``, labels ``(N,)`` of class indices, gradients ``(K,)``; returns ``(N, K)``.

    Args:
        logits: Before the softmax.
        labels: Class indices.
        gradients: ``G``, above 0.
        tau: Exponent; 0 is the plain cross-entropy.
        smallest: Lower bound of the factor.

    Example:
        >>> equalised_logits(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([4.0, 1.0]))
        tensor([[1.3863, 0.0000]])
    """
    factors = (gradients[None, :] / gradients[labels][:, None]) ** tau
    own = F.one_hot(labels, len(gradients)).bool()
    return logits + factors.clamp(min=smallest).log().masked_fill(own, 0.0)


@torch.no_grad()
def label_gradients(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the sizes of the gradients of the cross-entropies by class of the label, summed.

    The slope of a sample's cross-entropy along the logit of its label is ``p - 1``.

    Shapes:
        logits ``(N, K)``, labels ``(N,)`` of class indices, N may be 0; returns ``(K,)``.

    Example:
        >>> label_gradients(torch.zeros(3, 2), torch.tensor([0, 0, 1]))
        tensor([1.0000, 0.5000])
    """
    own = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return ((1 - logits.softmax(1)) * own).sum(0)
