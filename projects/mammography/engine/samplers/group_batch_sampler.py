"""Batches with a fixed share of each group of images."""

import logging
import math
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
from mmengine.dist import get_dist_info
from mmengine.logging import print_log
from mmpretrain.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from mammography.engine.samplers.grouping import Rules, fields_of, group_images
from mammography.engine.seeding import BATCH, NumberedIndex, NumberedSampler, derive_seed
from mammography.functional.group_sampling import Unit, deal_units, draw_group

PLACE = "GroupBatchSampler"


@DATA_SAMPLERS.register_module()
class GroupBatchSampler(Sampler[list[int] | list[NumberedIndex]]):
    """Give each group of images its share of every batch.

    The images of a group are drawn in random order, each once before any is drawn again;
    every epoch begins anew. It is a ``batch_sampler``; the ``sampler`` beside it, a
    shuffling ``DefaultSampler``, lends only its seed and epoch::

        train_dataloader = dict(
            batch_size=8,
            sampler=dict(type="DefaultSampler", shuffle=True),
            batch_sampler=dict(type="GroupBatchSampler", groups="domain", epoch="source"),
        )

    Half source and half target, as for adversarial training: as above, with
    ``keep_together="breast"``. A half negative, a quarter benign, a quarter malignant::

        groups=dict(
            negative=dict(benign=0, malignant=0),
            benign=dict(benign=1, malignant=0),
            malignant=dict(malignant=1),
        ),
        shares=dict(negative=2, benign=1, malignant=1),
        epoch="shortest",

    Half a target class: ``groups=dict(cancer=dict(malignant=1), other=dict(malignant=0)),
    epoch="cancer"``; with ``epoch="shortest"`` no image comes twice in an epoch (balanced batches).
    Each class equally often, all images of a class before any again (class-aware):
    ``groups="density"``. A group may ask for domain and class at once: if a class is frequent in
    one domain only, a network can tell the domain by the class.

    With several processes ``batch_size`` is that of one: together they draw the batches
    that one process draws with a batch as large as all of theirs, and each has the shares.

    Breasts keep their views together as :func:`~mammography.functional.group_sampling.draw_group`
    says: those of one or two views are divided only where the places of a group are odd in
    number, or one or two at the end of a round. Among processes they are dealt out whole as far as
    places allow.

    Args:
        sampler: That of the data loader; MMEngine gives it.
        batch_size: Images per process, a multiple of the sum of the shares.
        groups: Name of a label or field whose values are the groups, e.g. ``domain``; or the
            conditions of each group, see
            :func:`~mammography.engine.samplers.grouping.group_images`.
        shares: Parts of the batch, whole numbers: 2, 1 and 1 are a half and two quarters.
            Equal by default.
        epoch: When an epoch ends: ``longest``: all images of all groups were drawn;
            ``shortest``: before any is drawn again; or the name of a group all of whose images
            were drawn. The last batch is full: it may draw some again.
        keep_together: ``breast``: the views of a breast in an exam are drawn in one batch.
        ungrouped: ``error`` or ``skip``: what to do about images in no group.

    Raises:
        ValueError: If an argument is none of those, the batch size does not divide, or the
            groups do not fit the dataset.

    References:
        Akyuez et al. 2025, arXiv:2508.15452 (the three samplers above).
    """

    def __init__(
        self,
        sampler: Any,
        batch_size: int,
        groups: str | Rules,
        shares: Mapping[str, int] | None = None,
        epoch: str = "longest",
        keep_together: str | None = None,
        ungrouped: str = "error",
    ) -> None:
        if keep_together not in {None, "breast"} or ungrouped not in {"error", "skip"}:
            raise ValueError(
                f"{PLACE}: keep_together must be 'breast' or None and ungrouped 'error' or "
                f"'skip', got {keep_together!r} and {ungrouped!r}"
            )
        if not all(hasattr(sampler, name) for name in ("dataset", "seed", "epoch")):
            raise ValueError(
                f"{PLACE}: sampler must be a DefaultSampler, got {type(sampler).__name__}"
            )
        self.sampler, self.batch_size = sampler, batch_size
        self.rank, self.world_size = get_dist_info()
        self.groups = group_images(
            sampler.dataset,
            groups,
            place=PLACE,
            keep_together=keep_together is not None,
            skip_others=ungrouped == "skip",
        )
        self.balances = fields_of(groups)
        self.places = _divide(batch_size, _check_shares(shares, self.groups))
        self.length = self._measure(epoch)
        self._report()

    def __len__(self) -> int:
        """Number of batches of a whole epoch."""
        return self.length

    def __iter__(self) -> Iterator[list[int] | list[NumberedIndex]]:
        """Yield the indices of a batch, with their positions if the sampler numbers."""
        seed = derive_seed(self.sampler.seed, BATCH, self.sampler.epoch)
        draws = [
            draw_group(units, self.places[name] * self.world_size, rng)
            for (name, units), rng in zip(
                self.groups.items(),
                np.random.default_rng(seed).spawn(len(self.groups)),
                strict=True,
            )
        ]
        begun = getattr(self.sampler, "first", 0) // self.batch_size
        for step in range(self.length):
            drawn = [next(draw) for draw in draws]
            if step >= begun:
                yield self._take_part(drawn, step)

    def _take_part(self, drawn: list[list[Unit]], step: int) -> list[int] | list[NumberedIndex]:
        """Return the part of a batch of all processes that this one takes."""
        indices: list[int] = []
        mine: list[int] = []
        for units in drawn:
            placed = []
            for unit in units:
                placed.append(tuple(range(len(indices), len(indices) + len(unit))))
                indices += unit
            mine += sorted(chain(*deal_units(placed, self.world_size)[self.rank]))
        if not isinstance(self.sampler, NumberedSampler):
            return [indices[place] for place in mine]
        start = (self.sampler.epoch * self.length + step) * len(indices)
        return [(indices[place], start + place) for place in mine]

    def _measure(self, epoch: str) -> int:
        """Return the number of batches of an epoch."""
        needed = {name: self._count(name) / self._of_all(name) for name in self.groups}
        if epoch == "longest":
            return math.ceil(max(needed.values()))
        if epoch == "shortest":
            if not (length := math.floor(min(needed.values()))):
                name = min(needed, key=lambda group: needed[group])
                raise ValueError(
                    f"{PLACE}: epoch='shortest' must hold a batch, got {self._count(name)} images "
                    f"of group {name} for {self._of_all(name)} places: take epoch='longest'"
                )
            return length
        if epoch not in needed:
            raise ValueError(
                f"{PLACE}: epoch must be longest, shortest or one of {', '.join(needed)}, "
                f"got {epoch!r}"
            )
        return math.ceil(needed[epoch])

    def _count(self, name: str) -> int:
        return sum(map(len, self.groups[name]))

    def _of_all(self, name: str) -> int:
        return self.places[name] * int(self.world_size)

    def _report(self) -> None:
        counts = {name: (self._of_all(name), self._count(name)) for name in self.groups}
        holds = ", ".join(f"{here} of {total} {name}" for name, (here, total) in counts.items())
        skipped = len(self.sampler.dataset) - sum(total for _, total in counts.values())
        print_log(
            f"{PLACE}: each of the {self.length} batches of an epoch holds {holds} images"
            + (f"; {skipped} images of no group are left out" if skipped else ""),
            logger="current",
        )
        for name, (here, total) in counts.items():
            if here > total:
                print_log(
                    f"{PLACE}: a batch has {here} places for the {total} images of {name}: "
                    "some come twice in every batch",
                    logger="current",
                    level=logging.WARNING,
                )


def _check_shares(shares: Mapping[str, int] | None, names: Mapping[str, Any]) -> dict[str, int]:
    shares = dict.fromkeys(names, 1) if shares is None else dict(shares)
    if shares.keys() != names.keys():
        raise ValueError(
            f"{PLACE}: shares must be those of {', '.join(names)}, got {', '.join(shares)}"
        )
    if wrong := [part for part in shares.values() if part < 1 or part != int(part)]:
        raise ValueError(
            f"{PLACE}: shares must be whole numbers >= 1, got {wrong[0]}: "
            "2, 1 and 1 are a half and two quarters"
        )
    return shares


def _divide(batch_size: int, shares: Mapping[str, int]) -> dict[str, int]:
    """Return the places of each group in the batch of one process."""
    unit = sum(shares.values()) // math.gcd(*shares.values())
    if batch_size % unit or not batch_size:
        below = batch_size // unit * unit
        fits = " or ".join(str(size) for size in (below, below + unit) if size)
        parts = ", ".join(f"{name} {part}" for name, part in shares.items())
        raise ValueError(
            f"{PLACE}: batch_size must be a multiple of {unit} (shares: {parts}), "
            f"got {batch_size}: take {fits}"
        )
    total = sum(shares.values())
    return {name: batch_size * part // total for name, part in shares.items()}
