"""Images of rare groups more often, by chance."""

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.logging import print_log
from mmpretrain.registry import DATA_SAMPLERS
from torch import Tensor

from mammography.engine.samplers.epoch_sampler import EpochSampler
from mammography.engine.samplers.grouping import Rules, fields_of, group_images

PLACE = "WeightedSampler"


@DATA_SAMPLERS.register_module()
class WeightedSampler(EpochSampler):
    """Draw with replacement, each group of images with its share.

    Half of what the model sees is cancer, whatever the prevalence::

        train_dataloader = dict(
            sampler=dict(_delete_=True, type="WeightedSampler", groups="malignant"),
        )

    An image of a group weighs its share divided by the number of its images; the draw is that
    of torch's ``WeightedRandomSampler`` with these weights. Chance gives the number of each
    group in a batch, where :class:`GroupBatchSampler` fixes it. Replacement is what rebalances,
    so it is no option: a rare image comes many times in an epoch, and of frequent ones that are
    half of the draw some 60 % (exp(-1/2)) not at all, others in the next epoch.

    The probabilities that a model learns are those of the drawn shares, not of the population:
    calibrate on images as they come, and give the loss no weights for the same imbalance.

    Args:
        dataset: What the indices point into; MMEngine gives it.
        groups: Name of a label or field whose values are the groups, e.g. ``malignant``; or the
            conditions of each group, as for :class:`GroupBatchSampler`.
        shares: Relative frequency of each group, above 0; equal by default.
        num_samples: Images of an epoch, over all processes; as many as the dataset has
            (without those left out) by default.
        ungrouped: ``error`` or ``skip``: what to do about images in no group.
        seed: Seed of the run.

    Raises:
        ValueError: If an argument is none of those, or the groups do not fit the dataset.

    References:
        He and Garcia 2009, IEEE TKDE 21(9), section 3.1 (random oversampling).
    """

    def __init__(
        self,
        dataset: Any,
        groups: str | Rules,
        shares: Mapping[str, float] | None = None,
        num_samples: int | None = None,
        ungrouped: str = "error",
        seed: int | None = None,
    ) -> None:
        super().__init__(dataset, seed)
        if ungrouped not in {"error", "skip"}:
            raise ValueError(f"{PLACE}: ungrouped must be 'error' or 'skip', got {ungrouped!r}")
        if num_samples is not None and num_samples < 1:
            raise ValueError(f"{PLACE}: num_samples must be at least 1, got {num_samples}")
        found = group_images(dataset, groups, place=PLACE, skip_others=ungrouped == "skip")
        members = {name: [unit[0] for unit in units] for name, units in found.items()}
        self.shares = _relative(shares, members)
        self.balances = frozenset(fields_of(groups))
        self.weights = torch.zeros(len(dataset), dtype=torch.double)
        for name, indices in members.items():
            self.weights[indices] = self.shares[name] / len(indices)
        grouped = sum(map(len, members.values()))
        self._length = grouped if num_samples is None else num_samples
        counts = ", ".join(
            f"{self.shares[name]:.3g} {name} ({len(indices)} images)"
            for name, indices in members.items()
        )
        left = len(dataset) - grouped
        print_log(
            f"{PLACE}: an epoch draws {self._length} images with replacement, in shares {counts}"
            + (f"; {left} images of no group are left out" if left else ""),
            logger="current",
        )

    @property
    def images_per_epoch(self) -> int:
        """Images that an epoch asks for, over all processes."""
        return self._length

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return indices drawn by weight."""
        return torch.multinomial(self.weights, count, replacement=True, generator=generator)


def _relative(shares: Mapping[str, float] | None, names: Mapping[str, Any]) -> dict[str, float]:
    """Return the shares of the groups, of sum 1."""
    shares = dict.fromkeys(names, 1.0) if shares is None else dict(shares)
    if shares.keys() != names.keys() or not all(
        0 < part < float("inf") for part in shares.values()
    ):
        raise ValueError(
            f"{PLACE}: shares must be numbers above 0 of {', '.join(names)}, got {shares}"
        )
    total = sum(shares.values())
    return {name: part / total for name, part in shares.items()}
