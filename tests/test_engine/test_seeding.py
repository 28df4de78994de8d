import random

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from torch.utils.data import DistributedSampler

from golden import golden
from mammography.engine.seeding import (
    NumberedSampler,
    SeededDataset,
    derive_seed,
    seed_generators,
)
from small_study import SmallStudy


def draws():
    return random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002, S311


def loader(workers=0, persistent=False):
    return Runner.build_dataloader(
        {
            "dataset": {
                "type": "mmpretrain.SeededDataset",
                "dataset": {"type": "SmallStudy", "augment": True},
                "seed": 0,
            },
            "sampler": {
                "type": "mmpretrain.NumberedSampler",
                "sampler": {"type": "DefaultSampler", "shuffle": True},
            },
            "batch_size": 5,
            "num_workers": workers,
            "persistent_workers": persistent,
            "collate_fn": {"type": "default_collate"},
        },
        seed=0,
    )


def images(data_loader):
    return torch.cat([batch["inputs"] for batch in data_loader])


def test_positions_give_different_seeds_of_32_bits():
    seeds = [derive_seed(3, *p) for p in [(), (0,), (0, 0), (0, 1), (1, 0), (1,), (0, 0, 0)]]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**32 for seed in seeds)


def test_every_generator_repeats_after_the_same_seed():
    seed_generators(7)
    first = draws()
    seed_generators(7)
    assert draws() == first
    seed_generators(8)
    assert not any(a == b for a, b in zip(draws(), first, strict=True))


def test_augmentation_is_the_same_with_any_number_of_workers():
    expected = images(loader())
    assert torch.equal(images(loader(workers=2)), expected)


def test_epochs_differ_also_with_workers_that_stay():
    with_workers, without = loader(workers=1, persistent=True), loader()
    seen = []
    for epoch in range(2):
        for data_loader in (with_workers, without):
            data_loader.sampler.set_epoch(epoch)
        seen.append(images(with_workers))
        assert torch.equal(seen[-1], images(without))
    assert not torch.isin(seen[0], seen[1]).any()


def test_no_position_comes_twice_in_a_training():
    sampler = NumberedSampler(SmallStudy(), {"type": "DefaultSampler"}, seed=0)
    positions = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        positions += [position for _, position in sampler]
    assert len(set(positions)) == 36


def test_an_epoch_can_start_in_its_middle():
    data_loader = loader()
    data_loader.sampler.set_epoch(1)
    whole = images(data_loader)
    data_loader.sampler.set_epoch(1, first=5)
    assert torch.equal(images(data_loader), whole[5:])
    assert len(data_loader.sampler) == 12


def test_an_image_drawn_twice_is_augmented_in_two_ways():
    data = SeededDataset({"type": "SmallStudy", "augment": True}, seed=0)
    assert not torch.equal(data[4, 0]["inputs"], data[4, 1]["inputs"])


@pytest.mark.parametrize("epoch", [0, 3])
def test_two_processes_draw_the_pairs_of_one(monkeypatch, epoch):
    def pairs(rank, world_size):
        for module in ("mammography.engine.seeding", "mmengine.dataset.sampler"):
            monkeypatch.setattr(f"{module}.get_dist_info", lambda: (rank, world_size))
        sampler = NumberedSampler(SmallStudy(), {"type": "DefaultSampler"}, seed=0)
        sampler.set_epoch(epoch)
        return list(sampler)

    alone, first, second = pairs(0, 1), pairs(0, 2), pairs(1, 2)
    assert [p for both in zip(first, second, strict=True) for p in both] == alone


def test_questions_go_to_the_dataset_inside():
    data = SeededDataset({"type": "SmallStudy", "length": 3}, seed=0)
    assert (len(data), data.metainfo) == (3, SmallStudy.metainfo)
    with pytest.raises(AttributeError):
        _ = data.nothing_of_that_name


@pytest.mark.parametrize("epoch", [0, 1])
def test_three_processes_draw_what_torch_and_mmengine_deal_out(monkeypatch, epoch):
    want = golden("07_samplers")["expected"]["torch_distributed"][f"epoch{epoch}_world3"]
    drawn = []
    # The reference does not name its seed; torch gives these indices with 7.
    for rank in range(3):
        torch_sampler = DistributedSampler(range(10), 3, rank, seed=7)
        torch_sampler.set_epoch(epoch)
        assert list(torch_sampler) == want[rank]
        for module in ("mmengine.dataset.sampler", "mammography.engine.seeding"):
            monkeypatch.setattr(f"{module}.get_dist_info", lambda rank=rank: (rank, 3))
        sampler = NumberedSampler(range(10), {"type": "mmengine.DefaultSampler"}, seed=7)
        sampler.set_epoch(epoch)
        drawn.append(list(sampler))
    assert [[index for index, _ in rank] for rank in drawn] == want
    places = sorted(place for rank in drawn for _, place in rank)
    assert places == [*range(12 * epoch, 12 * epoch + 12)]
