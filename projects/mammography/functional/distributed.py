"""Sums, maxima and rows over all processes; the identity when there is only one."""

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.nn.functional import all_reduce


def count_processes() -> int:
    """Number of processes now; asked for at each call because models outlive groups."""
    return dist.get_world_size() if dist.is_initialized() else 1


def process_rank() -> int:
    """Index of this process among all, 0 when there is only one."""
    return dist.get_rank() if dist.is_initialized() else 0


def sum_over_processes(values: Tensor) -> Tensor:
    """Sum a tensor over all processes, differentiably.

    The backward pass sums as well: every process computes the same loss from the
    result, so the gradient that arrives is that of the sum of all those equal losses,
    and the averaging of ``DistributedDataParallel`` turns it into the gradient of one.
    A plain ``all_reduce`` in place leaves that sum out, which makes gradients
    ``count_processes()`` times too small while the loss is right.

    Shapes:
        values and the result: any, the same on all processes.

    Example:
        >>> sum_over_processes(torch.tensor([1.0, 2.0]))
        tensor([1., 2.])
    """
    if count_processes() == 1:
        return values
    total: Tensor = all_reduce(values)  # type: ignore[no-untyped-call]
    return total


@torch.no_grad()
def max_over_processes(values: Tensor) -> Tensor:
    """Take the elementwise maximum over all processes, without gradient.

    Shapes:
        values and the result: any, the same on all processes.
    """
    if count_processes() == 1:
        return values
    largest = values.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return largest


@torch.no_grad()
def gather_rows(rows: Tensor, dim: int = 0) -> Tensor:
    """Join the rows of all processes in the order of their ranks, without gradient.

    Shapes:
        rows: ``N`` along ``dim``, the same on all processes.
        result: ``count_processes() * N`` along ``dim``.
    """
    if count_processes() == 1:
        return rows
    parts = [torch.empty_like(rows.contiguous()) for _ in range(count_processes())]
    dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts, dim=dim)
