"""Let the batch norms of a model normalise with other statistics, and leave no trace.

Each class here is a context: inside it the forward of every batch norm is another one, set
on the layer itself, so that neither its mode (``norm_eval``, ``frozen_stages``) nor the next
``model.eval()`` matters. Parameters and buffers are read, never written: a checkpoint
that is saved meanwhile, and an average that is swapped in and out, are what they would be.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from itertools import chain, zip_longest
from typing import Any, Self

import torch
from mmengine.dist import all_gather_object
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from mammography.functional.batch_norm import (
    Moments,
    find_norm_layers,
    measure_moments,
    mix_with_source,
    normalize,
    normalize_by_batch,
)
from mammography.functional.distributed import process_rank, sum_over_processes


class BatchShare:
    """What this process holds of a batch that is spread over all.

    Args:
        counted: For each image here whether it counts, or repeats another one that a
            sampler took twice to give every process as many.
        total: Number of images that count, on all processes.
    """

    def __init__(self, counted: list[bool], total: int) -> None:
        self.counted, self.total = counted, total

    def rows(self, values: Tensor) -> Tensor | None:
        """Return which rows of an activation count, ``(R,)``, or None for all.

        Where a network looks at several crops, those of an image must follow each other.

        Raises:
            ValueError: If some do not count and rows cannot be told apart by image.
        """
        if all(self.counted):
            return None
        each, rest = divmod(len(values), len(self.counted))
        if rest:
            raise ValueError(
                f"the rows of an activation must be as many for each of {len(self.counted)} "
                f"images, got {len(values)} rows: test with one process, or a number of "
                "images that divides among the processes"
            )
        return torch.tensor(self.counted, device=values.device).repeat_interleave(each)


def share_batches(loader: DataLoader[Any]) -> list[BatchShare]:
    """Return this process's share of every batch of a loader that does not shuffle.

    Raises:
        ValueError: If the processes have different numbers of batches: they would wait
            for each other in vain.
    """
    mine = [list(batch) for batch in loader.batch_sampler or ()]
    processes = all_gather_object(mine)
    if len({len(batches) for batches in processes}) > 1:
        raise ValueError(
            "the statistics of a batch over several processes need as many batches on each, got "
            f"{', '.join(str(len(batches)) for batches in processes)}: use a sampler that "
            "repeats images to fill up, as DefaultSampler does with round_up=True"
        )
    seen: set[int] = set()
    shares = []
    for batch in zip(*processes, strict=True):
        counted: list[list[bool]] = [[] for _ in batch]
        for turn in zip_longest(*batch):  # dealt out in turn, as the results are collected
            for own, index in zip(counted, turn, strict=True):
                if index is not None:
                    own.append(index not in seen)
                    seen.add(index)
        shares.append(BatchShare(counted[process_rank()], sum(chain.from_iterable(counted))))
    return shares


class NormStatistics:
    """Base of the contexts: what each layer does, and how it goes back.

    Args:
        model: The model; wrappers around it may be left on.

    Attributes:
        layers: The batch norms by name.
        share: What to know of the batch that comes next; None on one process, where
            every row is an image that counts.

    Raises:
        ValueError: If the model has no batch norm; names the norms that it has.
    """

    def __init__(self, model: nn.Module) -> None:
        self.layers = find_norm_layers(model)
        self.share: BatchShare | None = None
        self._undo = ExitStack()
        if not self.layers:
            raise ValueError(
                f"{type(self).__name__}: the model must have batch norm, got {name_norms(model)}: "
                "there are no other statistics than 'running' for it"
            )

    def normalize(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        """Return what the layer returns in this context."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Replace the forward of every layer."""
        for name, layer in self.layers.items():
            before = layer.__dict__.get("forward")
            self._undo.callback(_set_forward, layer, before)
            _set_forward(layer, partial(self._forward, name, layer))
        return self

    def __exit__(self, *error: object) -> None:
        """Put every forward back."""
        self._undo.close()

    def _forward(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        try:
            return self.normalize(name, layer, values)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error

    def counted_rows(self, values: Tensor) -> Tensor | None:
        """Return which rows of an activation the statistics are of, None for all."""
        return self.share.rows(values) if self.share else None


class BatchStatistics(NormStatistics):
    """Every batch is normalised with its own statistics, as in training ("tt").

    Over several processes it is one batch, for BN as for SyncBN.

    References:
        Nado et al. 2020, arXiv:2006.10963 ("prediction-time batch normalization").
    """

    def normalize(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        """Normalise with the moments of the batch."""
        return normalize_by_batch(
            values, layer.weight, layer.bias, layer.eps, self.counted_rows(values)
        )[0]


class MixedStatistics(NormStatistics):
    """Statistics between the stored ones and those of each batch.

    Args:
        model: The model.
        prior_count: N: the number of images that the stored ones count for, >= 0. The n
            beside it is the number of images of the batch on all processes (rows, if
            ``share`` is not set).

    Raises:
        ValueError: If the model has no batch norm, or one that stores nothing; when it is used,
            if a layer sees some images of the batch only: theirs is another n.

    References:
        Schneider et al. 2020, arXiv:2006.16971, equation 3.
    """

    def __init__(self, model: nn.Module, prior_count: float) -> None:
        super().__init__(model)
        self.prior_count = prior_count
        check_stored(self.layers)

    def normalize(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        """Normalise with the mixture."""
        if self.share and len(values) % len(self.share.counted):
            raise ValueError(
                f"mixed statistics need all {len(self.share.counted)} images of the batch, got "
                f"{len(values)} rows: name one domain, DomainNormHook(domain='target')"
            )
        counted = self.counted_rows(values)
        moments = measure_moments(values if counted is None else values[counted])
        images: Any = self.share.total if self.share else _count_rows(values)
        source: Any = (layer.running_mean, layer.running_var)
        mean, variance = mix_with_source(source, moments, self.prior_count, images)
        return normalize(values, mean, variance, layer.weight, layer.bias, layer.eps)


class FixedStatistics(NormStatistics):
    """Statistics that were measured elsewhere.

    Args:
        model: The model.
        moments: By name of the layer; a layer without keeps what it does. The variance is
            the unbiased one, as torch's stored ones are.
    """

    def __init__(self, model: nn.Module, moments: Mapping[str, Moments]) -> None:
        super().__init__(model)
        self.layers = {name: layer for name, layer in self.layers.items() if name in moments}
        self.statistics = {
            name: (each.mean, each.variance(unbiased=True)) for name, each in moments.items()
        }

    def normalize(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        """Normalise with the moments of this layer."""
        mean, variance = self.statistics[name]
        return normalize(values, mean, variance, layer.weight, layer.bias, layer.eps)


def name_norms(model: nn.Module) -> str:
    """Return the kinds of normalisation that a model has, for a message."""
    kinds = sorted({type(m).__name__ for m in model.modules() if "Norm" in type(m).__name__})
    return f"{', '.join(kinds) or 'no normalisation'} in {type(model).__name__}"


def check_stored(layers: Mapping[str, _BatchNorm]) -> None:
    """Refuse layers that store no statistics.

    Raises:
        ValueError: If there is one; names them.
    """
    if bare := [name for name, layer in layers.items() if layer.running_mean is None]:
        raise ValueError(
            "batch norms must store the statistics of training, got none in "
            f"{', '.join(bare)}: they were built with track_running_stats=False"
        )


def _count_rows(values: Tensor) -> Tensor:
    return sum_over_processes(torch.tensor(float(len(values)), device=values.device))


def _set_forward(layer: nn.Module, forward: Any) -> None:
    if forward is None:
        del layer.__dict__["forward"]
    else:
        layer.__dict__["forward"] = forward
