"""What samplers share that draw anew for each epoch; not registered."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.dist import get_dist_info, sync_random_seed
from torch import Tensor
from torch.utils.data import Sampler


class EpochSampler(Sampler[int]):
    """Deal the draw of an epoch out to all processes, one index each in turn.

    Every process makes the same draw, from ``seed + epoch`` as MMEngine's ``DefaultSampler``,
    and takes every ``world_size``-th index of it: no index of the draw is dealt out twice, and
    processes together take the batches of one process. Nothing but seed and epoch goes into a
    draw, so a resumed run goes on with it; ``ReproducibleEpochLoop`` does so inside an epoch.

    Args:
        dataset: What the indices point into.
        seed: Seed of the run; the same on all processes.

    Attributes:
        balances: Labels and fields whose frequencies the draw changes.
    """

    balances: frozenset[str] = frozenset()

    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        self.dataset = dataset
        self.seed = int(sync_random_seed() if seed is None else seed)
        self.epoch = 0
        self.rank: int
        self.world_size: int
        self.rank, self.world_size = get_dist_info()
        self._passed = 0
        self._skipped = 0

    @property
    @abstractmethod
    def images_per_epoch(self) -> int:
        """Images that an epoch asks for, over all processes."""

    @abstractmethod
    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the ``count`` indices of an epoch, ``(count,)``, in the order of training."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch to draw for."""
        self.epoch = epoch

    def skip(self, num_samples: int) -> None:
        """Go on behind the first samples of a stream of epochs, as loops by iterations ask for.

        Whole epochs are passed over, what is left is left out of the next pass. That is where the
        stream stood if the batch size divides an epoch: a sampler does not see that the last
        batch of an epoch is smaller.

        Args:
            num_samples: Samples that this process has had since the start of training, >= 0.

        Raises:
            ValueError: If it is negative.
        """
        if num_samples < 0:
            raise ValueError(f"{type(self).__name__}: skip must be >= 0, got {num_samples}")
        self._passed, self._skipped = divmod(num_samples, len(self))

    def __len__(self) -> int:
        """Samples of this process in a whole epoch: rounded up, so that all have as many."""
        return -(-self.images_per_epoch // self.world_size)

    def __iter__(self) -> Iterator[int]:
        """Yield the indices of this process."""
        generator = torch.Generator().manual_seed(self.seed + self.epoch + self._passed)
        drawn = self.draw(len(self) * self.world_size, generator)
        skipped, self._skipped = self._skipped, 0
        yield from drawn[self.rank :: self.world_size][skipped:].tolist()
