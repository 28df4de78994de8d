"""Which mean and variance a batch norm normalises with."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mammography.functional.distributed import count_processes, sum_over_processes

_ELEMENTS = 2**20  # that are measured at a time


@dataclass(frozen=True)
class Moments:
    """Exact moments of the channels of a set of values, which add up.

    All float64: a target set has more values than float32 can count.

    Attributes:
        count: Values per channel. Shape ``()``.
        mean: Their mean. Shape ``(C,)``.
        squares: Sum of the squared deviations from it. Shape ``(C,)``.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor

    def variance(self, *, unbiased: bool) -> Tensor:
        """Return the variance, ``(C,)``.

        Args:
            unbiased: Divide by ``count - 1`` as torch does for what it stores, or by
                ``count`` as it does to normalise a batch. One value has variance 0.
        """
        return self.squares / (self.count - int(unbiased)).clamp(min=1)

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets together.

        References:
            Chan, Golub & LeVeque 1979, "Updating formulae and a pairwise algorithm for
            computing sample variances", equations 2.1.

        Example:
            >>> x = torch.rand(6, 2)
            >>> parts = measure_moments(x[:1]).merge(measure_moments(x[1:]))
            >>> torch.allclose(parts.variance(unbiased=True).float(), x.var(0))
            True
        """
        count = self.count + other.count
        delta, share = other.mean - self.mean, other.count / count.clamp(min=1)
        mean = self.mean + delta * share
        between = delta.square() * (self.count * share)
        return Moments(count, mean, self.squares + other.squares + between)


def find_norm_layers(model: nn.Module) -> dict[str, _BatchNorm]:
    """Return the batch norms of a model by name, synchronised ones among them.

    Whether they train, or stand in evaluation mode for good as those of frozen stages
    do, makes no difference here.

    Example:
        >>> list(find_norm_layers(nn.Sequential(nn.Conv2d(1, 2, 3), nn.SyncBatchNorm(2))))
        ['1']
    """
    return {name: m for name, m in model.named_modules() if isinstance(m, _BatchNorm)}


def measure_moments(values: Tensor, *, all_processes: bool = True) -> Moments:
    """Return the moments of the channels, over all processes together, differentiably.

    A few images at a time, about their own mean: exact where a mean is large beside its
    deviation, and read from memory once.

    Shapes:
        values: ``(N, C, ...)``; N may differ between processes and be 0 on some.

    Args:
        values: This process's share.
        all_processes: Whether all take part; if not, the moments are of the share alone.
    """
    images = max(1, _ELEMENTS // max(1, values[:1].numel()))
    parts = [_measure_part(part) for part in torch.split(values, images)]
    counts, sums, squares = (torch.stack(each).double() for each in zip(*parts, strict=True))
    totals = torch.cat([sums.sum(0), counts.sum(0)])
    totals = sum_over_processes(totals) if all_processes else totals
    count, mean = totals[-1], totals[:-1] / totals[-1].clamp(min=1)
    between = counts * (sums / counts.clamp(min=1) - mean).square()
    spread = (squares + between).sum(0)
    return Moments(count, mean, sum_over_processes(spread) if all_processes else spread)


def normalize(
    values: Tensor,
    mean: Tensor,
    variance: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
) -> Tensor:
    """Normalise with given moments; gradients reach all arguments.

    Shapes:
        values and the result ``(N, C, ...)``; the others ``(C,)``.
    """
    kind = torch.promote_types(values.dtype, torch.float32) if weight is None else weight.dtype
    mean, variance = mean.to(kind), variance.to(kind)
    if not (torch.is_grad_enabled() and (mean.requires_grad or variance.requires_grad)):
        return F.batch_norm(values, mean, variance, weight, bias, False, 0.0, eps)
    # torch takes the moments that it is given for constants.
    scale = torch.rsqrt(variance + eps) * (1 if weight is None else weight)
    centred = values - _along_channels(mean, values)
    out = centred * _along_channels(scale, values)
    return out if bias is None else out + _along_channels(bias, values)


def normalize_by_batch(
    values: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    eps: float,
    counted: Tensor | None = None,
) -> tuple[Tensor, Moments]:
    """Normalise with the moments of the batch of all processes together.

    As in training the variance is that over ``count``.

    Shapes:
        values and the result: ``(N, C, ...)``.

    Args:
        values: This process's share of the batch.
        weight: Factor per channel, ``(C,)``.
        bias: What is added per channel, ``(C,)``.
        eps: Added to the variance.
        counted: Rows that the moments are of, ``(N,)``, bool; all if None. A sampler
            repeats images to give every process as many: they are normalised, not counted.

    Returns:
        The result and the moments of the whole batch.

    Raises:
        ValueError: If there is but one value per channel.
    """
    alone = count_processes() == 1 and counted is None
    if alone and values.numel() <= values.shape[1]:
        raise ValueError(
            "the statistics of a batch need more than one value per channel, got a batch of "
            f"shape {tuple(values.shape)}: choose a batch size that leaves no image alone"
        )
    # On CPUs torch's kernel takes several times as long as ours in the layout NCHW.
    slow = values.device.type == "cpu" and values.is_contiguous() and not torch.is_grad_enabled()
    if alone and not slow:
        return _normalize_in_one(values, weight, bias, eps)
    moments = measure_moments(values if counted is None else values[counted])
    variance = moments.variance(unbiased=False)
    return normalize(values, moments.mean, variance, weight, bias, eps), moments


def mix_with_source(
    source: tuple[Tensor, Tensor], batch: Moments, prior_count: float, images: float
) -> tuple[Tensor, Tensor]:
    """Return mean and variance between those of the source and those of a batch.

    ``N / (N + n)`` of the source and ``n / (N + n)`` of the batch, whose variance is the
    unbiased one. N = 0 leaves the batch alone, N to infinity the source.

    Args:
        source: Stored mean and variance, ``(C,)`` each.
        batch: Moments of the batch.
        prior_count: N: the number of images that the source counts for, >= 0.
        images: n: the number of images of the batch, > 0. Images, not pixels: those of
            one image are far from independent.

    References:
        Schneider et al. 2020, arXiv:2006.16971, equation 3.

    Example:
        >>> batch = Moments(torch.tensor(2.0), torch.tensor([1.0]), torch.tensor([4.0]))
        >>> mix_with_source((torch.zeros(1), torch.ones(1)), batch, 8, 8)
        (tensor([0.5000]), tensor([2.5000]))
    """
    share = prior_count / (prior_count + images)
    mean, variance = source
    mixed = share * variance + (1 - share) * batch.variance(unbiased=True)
    return share * mean + (1 - share) * batch.mean, mixed


def _normalize_in_one(
    values: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float
) -> tuple[Tensor, Moments]:
    """Let torch measure and normalise in one kernel, which has a gradient."""
    kind = torch.promote_types(values.dtype, torch.float32) if weight is None else weight.dtype
    channels = values.shape[1]
    mean = torch.zeros(channels, dtype=kind, device=values.device)
    variance = torch.ones_like(mean)
    # A momentum of 1 leaves the moments of the batch, the unbiased variance, in the two.
    out = F.batch_norm(values, mean, variance, weight, bias, True, 1.0, eps)
    mean, variance = mean.double(), variance.double()
    count = mean.new_full((), values.numel() // channels)
    return out, Moments(count, mean, variance * (count - 1))


def _measure_part(values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return count ``(1,)``, sum and squared deviations ``(C,)`` of values that fit the cache."""
    dims = [0, *range(2, values.ndim)]
    number = values.numel() // values.shape[1]
    total = values.sum(dims, dtype=torch.promote_types(values.dtype, torch.float32))
    deviations = values - _along_channels(total / max(1, number), values)
    squared = deviations.square() if deviations.requires_grad else deviations.square_()
    return total.new_full((1,), number), total, squared.sum(dims)


def _along_channels(vector: Tensor, values: Tensor) -> Tensor:
    return vector.reshape(1, -1, *[1] * (values.ndim - 2))
