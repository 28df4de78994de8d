"""A batch that two processes share, for the test of its statistics."""

import torch
from torch.distributed import get_rank, is_initialized

from mammography.functional.batch_norm import normalize_by_batch


def normalized_on_ranks() -> dict[str, torch.Tensor]:
    """Normalise five rows, the last process with one of them again, and learn from them."""
    generator = torch.Generator().manual_seed(0)
    values, target = torch.randn(2, 5, 3, 4, 4, generator=generator, dtype=torch.float64)
    counted, rows = None, slice(None)
    if is_initialized():
        rows = (slice(0, 3), slice(3, 5))[get_rank()]
        values, target = values[rows], target[rows]
        if get_rank() == 1:
            values, counted = values[[0, 1, 0]], torch.tensor([True, True, False])
    values = (2 + values).requires_grad_()
    weight, bias = torch.full((3,), 1.5).double(), torch.full((3,), 0.5).double()
    out, moments = normalize_by_batch(values, weight, bias, 1e-5, counted)
    mine = out[: len(target)]
    (gradient,) = torch.autograd.grad((mine - target).pow(4).sum(), values)
    return {
        "out": mine.detach(),
        "gradient": gradient[: len(target)],
        "mean": moments.mean.detach(),
        "squares": moments.squares.detach(),
        "count": moments.count,
    }
