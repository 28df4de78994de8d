"""Random numbers that depend on where training stands, not on how it came there.

Every training sample and every training step starts from a seed of its own. So a run
that was interrupted goes on as if it had not been, and the number of workers that load
the data changes nothing.
"""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmpretrain.registry import DATA_SAMPLERS, DATASETS
from torch.utils.data import Dataset, Sampler

SAMPLE, STEP, BATCH = 0, 1, 2
NumberedIndex = tuple[int, int]


def derive_seed(seed: int, *position: int) -> int:
    """Return a seed of 32 bits for a position below ``seed``.

    Args:
        seed: Seed of the run.
        position: Numbers that tell this use of random numbers from every other one.

    References:
        O'Neill, seed sequences, as in :class:`numpy.random.SeedSequence`.

    Example:
        >>> derive_seed(0, 1, 2) == derive_seed(0, 1, 2) != derive_seed(0, 2, 1)
        True
    """
    return int(np.random.SeedSequence(seed, spawn_key=position).generate_state(1)[0])


def seed_generators(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch that transforms and models draw from."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (the transforms of MMCV draw from this one)
    # torch.manual_seed would also queue a call for a GPU that is not in use, which is slow.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed(seed)


@DATA_SAMPLERS.register_module()
class NumberedSampler(Sampler[NumberedIndex]):
    """Give every index of another sampler its place in the epoch.

    The place counts over all processes: with a sampler that deals indices out in turn,
    two processes draw the pairs of one process. An index that is drawn twice in an epoch
    has two places.

    Args:
        dataset: What the indices point into.
        sampler: Config of the other sampler.
        seed: Seed of the other sampler.
    """

    def __init__(self, dataset: Any, sampler: dict[str, Any], seed: int | None = None) -> None:
        self.dataset = dataset
        self.sampler = DATA_SAMPLERS.build(sampler, default_args={"dataset": dataset, "seed": seed})
        self.seed = getattr(self.sampler, "seed", seed)
        self.epoch = 0
        self.first = 0
        self.rank, self.world_size = get_dist_info()

    def set_epoch(self, epoch: int, first: int = 0) -> None:
        """Choose the epoch, and the first sample of it that this process gives out."""
        self.epoch, self.first = epoch, first
        if hasattr(self.sampler, "set_epoch"):
            self.sampler.set_epoch(epoch)

    def __iter__(self) -> Iterator[NumberedIndex]:
        """Yield ``(index, position)``."""
        start = self.epoch * len(self.sampler)
        for place, index in enumerate(self.sampler):
            if place >= self.first:
                yield int(index), (start + place) * self.world_size + self.rank

    def __len__(self) -> int:
        """Number of samples of a whole epoch."""
        return len(self.sampler)


@DATASETS.register_module()
class SeededDataset(Dataset[Any]):
    """Seed the generators before each sample of another dataset is made.

    Everything else that is asked of it, the other dataset answers.

    Args:
        dataset: Config of the other dataset.
        seed: Seed of the run.
    """

    def __init__(self, dataset: dict[str, Any], seed: int) -> None:
        self.dataset = DATASETS.build(dataset)
        self.seed = seed

    def __getitem__(self, numbered: NumberedIndex) -> Any:
        """Return the sample of an index, made with the random numbers of its position."""
        index, position = numbered
        seed_generators(derive_seed(self.seed, SAMPLE, position))
        return self.dataset[index]

    def __len__(self) -> int:
        """Number of samples of the other dataset."""
        return len(self.dataset)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the other dataset."""
        if name.startswith("__") or name == "dataset":  # asked while it is being unpickled
            raise AttributeError(name)
        return getattr(self.dataset, name)
