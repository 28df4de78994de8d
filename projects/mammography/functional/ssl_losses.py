"""Losses of self-supervision as functions of the batch of all processes."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mammography.functional.distributed import count_processes, sum_over_processes


def cross_correlation(z_a: Tensor, z_b: Tensor, eps: float = 1e-5) -> Tensor:
    """Correlate the features of two views over the batch of all processes.

    Means and variances are those of the joined batch, and gradients flow through
    them, so the number of processes changes neither the matrix nor its gradient.
    Sums are taken in single precision at least, also under autocast.

    Shapes:
        z_a, z_b: ``(N, D)``, row ``i`` of both from one image; ``N`` may differ
            between processes.
        matrix: ``(D, D)``, entry ``(i, j)`` of feature ``i`` of the first view and
            feature ``j`` of the second, the same on all processes.

    Args:
        z_a: Features of the first view.
        z_b: Features of the second view.
        eps: Added to the (biased) variances.

    Raises:
        ValueError: If the shapes differ or the batch of all processes is one image.

    References:
        Zbontar et al., "Barlow Twins", 2021, arXiv:2103.03230, equation 2.

    Example:
        >>> z = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
        >>> cross_correlation(z, -z).round(decimals=3)
        tensor([[-1.,  0.],
                [ 0., -1.]])
    """
    if z_a.ndim != 2 or z_a.shape != z_b.shape:
        raise ValueError(
            "cross_correlation: both views must have one shape (N, D), "
            f"got {tuple(z_a.shape)} and {tuple(z_b.shape)}"
        )
    if len(z_a) * count_processes() < 2:
        raise ValueError(
            "cross_correlation: the batch must have at least 2 images, got "
            f"{len(z_a)}: set drop_last=True in the training dataloader"
        )
    with torch.autocast(z_a.device.type, enabled=False):
        both = torch.cat([z_a, z_b], dim=1)
        both = both.to(torch.promote_types(both.dtype, torch.float32))
        # One reduction gives the sums and the number of rows.
        sums = sum_over_processes(torch.cat([both.sum(dim=0), both.new_tensor([len(both)])]))
        count = sums[-1].detach()
        centred = both - sums[:-1] / count
        variance = sum_over_processes(centred.square().sum(dim=0)) / count
        a, b = (centred * (variance + eps).rsqrt()).chunk(2, dim=1)
        return sum_over_processes(a.T @ b) / count


def barlow_twins_loss(
    z_a: Tensor, z_b: Tensor, redundancy_weight: float = 0.0051, eps: float = 1e-5
) -> Tensor:
    """Draw the cross-correlation of two views towards the identity matrix.

    Shapes:
        z_a, z_b: ``(N, D)``, row ``i`` of both from one image.
        loss: scalar, the same on all processes.

    Args:
        z_a: Features of the first view.
        z_b: Features of the second view.
        redundancy_weight: Weight of the entries off the diagonal, the paper's lambda.
        eps: Added to the variances.

    Raises:
        ValueError: As :func:`cross_correlation`.

    References:
        Zbontar et al., "Barlow Twins", 2021, arXiv:2103.03230, equation 1.

    Example:
        >>> z = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
        >>> round(barlow_twins_loss(z, -z).item(), 3)
        8.0
    """
    matrix = cross_correlation(z_a, z_b, eps)
    diagonal = matrix.diagonal()
    off_diagonal = matrix - torch.diag(diagonal)
    return (diagonal - 1).square().sum() + redundancy_weight * off_diagonal.square().sum()


def swapped_prediction_loss(
    scores: Tensor, codes: Tensor, crops_for_assign: Sequence[int], temperature: float = 0.1
) -> Tensor:
    """Predict the code of a crop from every other crop of the same image.

    The value is the mean over the images of this process; with equal batches the
    averaging of gradients by ``DistributedDataParallel`` makes it that of all.

    Shapes:
        scores: ``(V, N, K)``, of ``V`` crops of ``N`` images with ``K`` prototypes.
        codes: ``(A, N, K)``, targets of the crops named in ``crops_for_assign``.
        loss: scalar.

    Args:
        scores: Cosines of crops and prototypes.
        codes: Soft assignments, rows sum to one, no gradient.
        crops_for_assign: Index among the ``V`` crops of each of the ``A`` codes.
        temperature: Divides the scores, > 0.

    References:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, arXiv:2006.09882, equations 1, 2 and 6.

    Example:
        >>> scores = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
        >>> codes = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
        >>> round(swapped_prediction_loss(scores, codes, (0, 1)).item(), 4)
        10.0
    """
    log_probabilities = (scores / temperature).log_softmax(dim=-1)
    cross_entropy = -torch.einsum("ank,vnk->av", codes, log_probabilities) / scores.shape[1]
    own = torch.zeros_like(cross_entropy, dtype=torch.bool)
    own[torch.arange(len(codes)), list(crops_for_assign)] = True
    return cross_entropy.masked_fill(own, 0.0).sum() / (~own).sum()
