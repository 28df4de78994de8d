"""Small self-supervised computations that are run alone and on several ranks."""

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import normalize
from torch.nn.parallel import DistributedDataParallel

from mammography.functional.distributed import (
    count_processes,
    gather_rows,
    max_over_processes,
    process_rank,
    sum_over_processes,
)
from mammography.functional.sinkhorn import assign_sinkhorn
from mammography.functional.ssl_losses import barlow_twins_loss, swapped_prediction_loss


def functional_cases() -> dict[str, Any]:
    """Everything of the functional floor, from one start of the processes."""
    return {
        "reductions": reductions(),
        "barlow_twins": gradients(TwinLoss()),
        "swav": gradients(SwappedLoss()),
        "codes": codes(),
    }


def share(rows: Tensor, dim: int = 0) -> Tensor:
    """Rows of the global batch that belong to this process, in order of the ranks."""
    return rows.chunk(count_processes(), dim=dim)[process_rank()]


def draw(seed: int, *size: int) -> Tensor:
    """Draw normal numbers in double precision."""
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def reductions() -> dict[str, Tensor]:
    """Collectives on a tensor that differs between the ranks."""
    rows = share(torch.arange(8.0).reshape(4, 2))
    return {
        "sum": sum_over_processes(rows.sum(dim=0)),
        "max": max_over_processes(rows.amax(dim=0)),
        "rows": gather_rows(rows),
        "columns": gather_rows(rows.T, dim=1),
    }


def codes() -> Tensor:
    """Codes of 11 samples, an odd number, so that the shares of two ranks differ."""
    return assign_sinkhorn(share(draw(3, 11, 5)))


class TwinLoss(nn.Module):
    """Barlow Twins loss of a small encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = small_encoder()

    def forward(self, views: Tensor) -> Tensor:
        return barlow_twins_loss(self.encoder(views[0]), self.encoder(views[1]))


class SwappedLoss(nn.Module):
    """SwAV loss of a small encoder with prototypes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = small_encoder()
        self.prototypes = nn.Parameter(normalize(draw(5, 7, 4), dim=1))

    def forward(self, views: Tensor) -> Tensor:
        scores = normalize(self.encoder(views), dim=-1) @ self.prototypes.T
        return swapped_prediction_loss(scores, assign_sinkhorn(scores.detach()), (0, 1))


def small_encoder() -> nn.Module:
    """Make the same encoder in every process."""
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4)).double()


def gradients(model: nn.Module) -> dict[str, Tensor]:
    """Loss and gradients of all parameters, averaged by DDP where there are processes."""
    views = share(draw(2, 2, 12, 6), dim=1)
    wrapped = DistributedDataParallel(model) if distributed.is_initialized() else model
    loss = wrapped(views)
    loss.backward()
    return {
        "loss": sum_over_processes(loss.detach()) / count_processes(),
        "gradient": torch.cat([p.grad.flatten() for p in model.parameters()]),
    }
