"""Head of Barlow Twins over the batch of all processes."""

from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor

from mammography.functional.ssl_losses import barlow_twins_loss


@MODELS.register_module()
class GlobalCrossCorrelationHead(BaseModule):
    """Barlow Twins loss whose value and gradient do not depend on the number of processes.

    Takes the place of MMPreTrain's ``LatentCrossCorrelationHead`` in its ``BarlowTwins``:
    there the matrices of the processes are summed outside of autograd, so gradients
    come out divided by their number, and each process standardises by its own batch.
    It has no weights.

    Args:
        redundancy_weight: Weight of the entries off the diagonal (lambda), >= 0.
        eps: Added to the variances of the features.

    Raises:
        ValueError: If ``redundancy_weight`` is negative.

    References:
        Zbontar et al., "Barlow Twins", 2021, arXiv:2103.03230. The weight 0.0051 is that
        of the published code; the paper rounds it to 0.005.

    Example:
        >>> import torch
        >>> z = torch.eye(4)
        >>> loss = GlobalCrossCorrelationHead(redundancy_weight=0.0).loss(z, z)
        >>> bool(loss < 1e-6)
        True
    """

    def __init__(self, redundancy_weight: float = 0.0051, eps: float = 1e-5) -> None:
        super().__init__()
        if redundancy_weight < 0:
            raise ValueError(
                "GlobalCrossCorrelationHead: redundancy_weight must be >= 0, "
                f"got {redundancy_weight}"
            )
        self.redundancy_weight = redundancy_weight
        self.eps = eps

    def loss(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """Compute the loss of the features ``(N, D)`` of two views."""
        return barlow_twins_loss(z_a, z_b, self.redundancy_weight, self.eps)
