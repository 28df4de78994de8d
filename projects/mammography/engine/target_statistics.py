"""Statistics of the batch norms on the unlabelled images of another hospital (AdaBN)."""

from typing import Any

import torch
from mmengine.dist import get_dist_info
from mmengine.runner.amp import autocast
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from mammography.engine.norm_statistics import BatchShare, BatchStatistics
from mammography.functional.batch_norm import Moments, normalize_by_batch


class PooledStatistics(BatchStatistics):
    """Batch statistics, whose moments are pooled over all batches.

    Attributes:
        moments: Of all values that each layer has seen, by its name.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        self.moments: dict[str, Moments] = {}

    def normalize(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        """Normalise with the moments of the batch and keep them."""
        counted = self.counted_rows(values)
        out, moments = normalize_by_batch(values, layer.weight, layer.bias, layer.eps, counted)
        known = self.moments.get(name)
        self.moments[name] = known.merge(moments) if known else moments
        return out


def measure_target_statistics(
    model: Any,
    loader: DataLoader[Any],
    batch_size: int,
    *,
    seed: int = 0,
    mixed_precision: bool = False,
) -> dict[str, Moments]:
    """Measure mean and variance of every batch norm over a set of images, labels unseen.

    One pass over the images, about the cost of a test. Each layer normalises with the moments of
    its batch (of all processes together), and the moments of all batches are pooled as if
    they were one set: the variance within and between batches. (An average over batches of
    their means and variances, as of ``update_bn`` of torch and ``PreciseBNHook`` of MMPreTrain,
    gives a last, smaller batch too much weight and leaves the variance between out.)

    What a layer sees depends on how the layers before it normalise. With the final
    statistics everywhere this would be exact, and cost a pass per layer, 53 of a
    ResNet-50. With the moments of shuffled batches it comes the closer the larger they
    are; sorted by patient or by machine they would differ and the result be biased. So the images
    are shuffled, the same on any number of processes, and dealt into batches as even as
    possible: the answer depends on seed and ``batch_size`` times processes alone.

    Args:
        model: Of MMEngine, with ``test_step``; stays as it is, in mode and statistics.
        loader: Gives data set, collation and workers; its own order is not used.
        batch_size: Images per batch and process.
        seed: Of the order.
        mixed_precision: As in the test whose statistics these shall be.

    Returns:
        Moments by name of the layer, without layers that nothing passed through.

    Raises:
        ValueError: If the model has no batch norm.

    References:
        Li et al. 2016, arXiv:1603.04779, algorithm 1 (AdaBN).
    """
    rank, processes = get_dist_info()
    shares = deal_images(len(loader.dataset), batch_size, processes, seed)  # type: ignore[arg-type]
    batches = DataLoader(
        loader.dataset,
        batch_sampler=[batch[rank] for batch, _ in shares],
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        pin_memory=loader.pin_memory,
        worker_init_fn=loader.worker_init_fn,
        prefetch_factor=loader.prefetch_factor,
    )
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with PooledStatistics(model) as pooled, torch.no_grad():
            for data, (_, counted) in zip(batches, shares, strict=True):
                pooled.share = BatchShare(counted[rank], sum(map(sum, counted)))
                with autocast(enabled=mixed_precision):
                    model.test_step(data)
    finally:
        for module, mode in modes.items():
            module.training = mode
    return pooled.moments


def deal_images(
    images: int, batch_size: int, processes: int, seed: int
) -> list[tuple[list[list[int]], list[list[bool]]]]:
    """Shuffle images and deal them out in batches whose sizes differ by one at most.

    A process that gets no image of a batch repeats its first one, which does not count.

    Args:
        images: Number of images, >= 1.
        batch_size: Largest number of images per batch and process.
        processes: Number of processes.
        seed: Of the order.

    Returns:
        For each batch the indices by process, and whether each counts.

    Example:
        >>> [batch for batch, _ in deal_images(5, 4, 1, seed=0)]
        [[[4, 0, 1]], [[3, 2]]]
    """
    order = torch.randperm(images, generator=torch.Generator().manual_seed(seed))
    number = -(-images // (batch_size * processes))
    dealt = []
    for batch in torch.tensor_split(order, number):
        indices = batch.tolist()
        mine = [indices[rank::processes] for rank in range(processes)]
        dealt.append(
            ([own or indices[:1] for own in mine], [[True] * len(own) or [False] for own in mine])
        )
    return dealt
