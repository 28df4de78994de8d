"""Balanced soft assignment of samples to prototypes over the batch of all processes."""

import torch
from torch import Tensor

from mammography.functional.distributed import max_over_processes, sum_over_processes


@torch.no_grad()
def assign_sinkhorn(scores: Tensor, epsilon: float = 0.05, iterations: int = 3) -> Tensor:
    """Turn scores into codes that use all prototypes equally (Sinkhorn-Knopp).

    Rows and columns of ``exp(scores / epsilon)`` are scaled in turn until every
    prototype holds the same mass and every sample has mass one. The work is done on
    logarithms in single precision at least, so neither half precision nor a small
    ``epsilon`` can overflow, and a prototype far from all samples gives no division by
    zero. The mass of a prototype is that of the samples of *all* processes, always:
    the codes are those that one process would compute from the joined batch.

    Shapes:
        scores: ``(..., N, K)``, samples by prototypes; ``N`` may differ between processes.
        codes: ``(..., N, K)``, every row sums to one.

    Args:
        scores: Similarity of samples and prototypes; cosines in SwAV.
        epsilon: Entropy regularisation, > 0; small is close to one prototype per sample.
        iterations: Number of alternations, at least 1.

    Raises:
        ValueError: If ``epsilon`` or ``iterations`` is out of range.

    References:
        Cuturi, "Sinkhorn Distances", 2013, arXiv:1306.0895, algorithm 1; Caron et al.,
        "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments",
        2020, arXiv:2006.09882, equations 3 to 5.

    Example:
        >>> codes = assign_sinkhorn(torch.tensor([[1.0, 0.9], [1.0, 0.0]]))
        >>> codes.argmax(dim=1)
        tensor([1, 0])
    """
    if not epsilon > 0 or iterations < 1:
        raise ValueError(
            "assign_sinkhorn: epsilon must be > 0 and iterations at least 1, "
            f"got {epsilon} and {iterations}"
        )
    precision = torch.promote_types(scores.dtype, torch.float32)
    log_codes = scores.to(precision) / epsilon
    for _ in range(iterations):
        log_codes = log_codes - _log_mass_of_prototypes(log_codes)
        log_codes = log_codes - log_codes.logsumexp(dim=-1, keepdim=True)
    return log_codes.exp()


def _log_mass_of_prototypes(log_codes: Tensor) -> Tensor:
    """Logarithm of the mass of each prototype over all samples: ``(..., 1, K)``."""
    largest = max_over_processes(log_codes.amax(dim=-2, keepdim=True))
    mass = sum_over_processes((log_codes - largest).exp().sum(dim=-2, keepdim=True))
    return largest + mass.log()
