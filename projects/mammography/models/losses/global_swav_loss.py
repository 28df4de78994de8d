"""Loss of SwAV whose codes and queue are those of all processes together."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.nn.functional import normalize

from mammography.functional.distributed import count_processes, gather_rows, process_rank
from mammography.functional.sinkhorn import assign_sinkhorn
from mammography.functional.ssl_losses import swapped_prediction_loss


@MODELS.register_module()
class GlobalSwAVLoss(BaseModule):
    """Swapped prediction between crops, with prototypes, Sinkhorn codes and a queue.

    Takes the place of MMPreTrain's ``SwAVLoss`` inside its ``SwAVHead``. There the
    balance over prototypes is summed over the processes only when one of them has an
    empty prototype, scores are exponentiated in half precision, and the queue is a file
    per process beside the checkpoint. Here

    - codes are balanced over the batch of all processes, in single precision;
    - the queue holds the latest features of *all* processes, the same on each, in
      buffers: it travels in the checkpoint, and a run resumes exactly, also with
      another number of processes; each process balances its share of the rows;
    - the queue takes part once it is full, as published.

    Processes must have equal batches (``drop_last=True`` in the dataloader). Prototypes are
    scaled to unit length before each use. When the queue starts is set by
    :class:`~mammography.engine.hooks.swav_queue_hook.SwAVQueueHook`; without the hook it
    starts at once.

    Args:
        feat_dim: Width of the projected, unit-length features.
        num_prototypes: Number of prototypes.
        num_crops: Crops per image at each resolution, largest resolution first.
        crops_for_assign: Indices of the crops that get codes.
        epsilon: Entropy regularisation of the codes.
        temperature: Divides the scores in the prediction.
        sinkhorn_iterations: Alternations of the balancing.
        queue_length: Features per code crop kept from earlier batches of all processes
            together; 0 for none.

    Raises:
        ValueError: If a crop of ``crops_for_assign`` does not exist, there is only one
            crop, or a batch does not divide into the crops.

    References:
        Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster
        Assignments", 2020, arXiv:2006.09882, algorithm 1 and section 3.

    Example:
        >>> loss = GlobalSwAVLoss(feat_dim=4, num_prototypes=3, num_crops=(2, 1))
        >>> features = torch.nn.functional.normalize(torch.randn(3 * 5, 4), dim=1)
        >>> loss(features).shape
        torch.Size([])
    """

    queue: Tensor
    queue_count: Tensor

    def __init__(
        self,
        feat_dim: int = 128,
        num_prototypes: int = 300,
        num_crops: Sequence[int] = (2, 6),
        crops_for_assign: Sequence[int] = (0, 1),
        epsilon: float = 0.05,
        temperature: float = 0.1,
        sinkhorn_iterations: int = 3,
        queue_length: int = 0,
    ) -> None:
        super().__init__()
        self.crop_count = sum(num_crops)
        self.crops_for_assign = list(crops_for_assign)
        wrong = [crop for crop in self.crops_for_assign if not 0 <= crop < self.crop_count]
        if self.crop_count < 2 or not self.crops_for_assign or wrong:
            raise ValueError(
                "GlobalSwAVLoss: crops_for_assign must name some of at least 2 crops, "
                f"got {self.crops_for_assign} of {self.crop_count}"
            )
        self.epsilon = epsilon
        self.temperature = temperature
        self.sinkhorn_iterations = sinkhorn_iterations
        self.prototypes = nn.Linear(feat_dim, num_prototypes, bias=False)
        self.queue_enabled = True
        self.register_buffer(
            "queue", torch.zeros(len(self.crops_for_assign), queue_length, feat_dim)
        )
        self.register_buffer("queue_count", torch.tensor(0))

    def forward(self, features: Tensor) -> Tensor:
        """Compute the loss.

        Shapes:
            features: ``(V * N, D)``, the ``N`` images of the first crop, then of the
                second, and so on, as ``SwAVNeck`` returns them.
            loss: scalar.
        """
        if len(features) % self.crop_count:
            raise ValueError(
                f"GlobalSwAVLoss: the batch must hold {self.crop_count} crops of every "
                f"image (num_crops), got {len(features)} features"
            )
        with torch.autocast(features.device.type, enabled=False):
            self._scale_prototypes()
            crops = features.reshape(self.crop_count, -1, features.shape[-1])
            crops = crops.to(self.prototypes.weight.dtype)
            scores = self.prototypes(crops)
            codes = self._assign(crops.detach(), scores.detach())
            return swapped_prediction_loss(scores, codes, self.crops_for_assign, self.temperature)

    @torch.no_grad()
    def _scale_prototypes(self) -> None:
        self.prototypes.weight.copy_(normalize(self.prototypes.weight, dim=1))

    @torch.no_grad()
    def _assign(self, crops: Tensor, scores: Tensor) -> Tensor:
        """Codes ``(A, N, K)`` of the crops named in ``crops_for_assign``."""
        own = scores[self.crops_for_assign]
        batch = own
        if self.queue_enabled and 0 < self.queue.shape[1] <= self.queue_count:
            share = self.queue[:, process_rank() :: count_processes()]
            batch = torch.cat([own, self.prototypes(share)], dim=1)
        codes = assign_sinkhorn(batch, self.epsilon, self.sinkhorn_iterations)
        if self.queue_enabled:
            self._remember(crops[self.crops_for_assign])
        return codes[:, : own.shape[1]]

    def _remember(self, features: Tensor) -> None:
        """Put the features of all processes in front of the queue and drop the oldest."""
        length = self.queue.shape[1]
        new = gather_rows(features, dim=1)
        self.queue.copy_(torch.cat([new, self.queue], dim=1)[:, :length])
        self.queue_count.copy_((self.queue_count + new.shape[1]).clamp(max=length))
