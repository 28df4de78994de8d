import math
from collections import Counter
from functools import partial
from itertools import chain, zip_longest

import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch.utils.data import BatchSampler, WeightedRandomSampler

from golden import golden
from group_cases import Rows, row
from mammography.engine.portable_runner import PortableRunner
from mammography.engine.samplers import epoch_sampler, weighted_sampler
from mammography.engine.samplers.group_batch_sampler import GroupBatchSampler
from mammography.engine.samplers.weighted_sampler import WeightedSampler
from ranks import run_on_ranks
from small_study import small_config
from weighted_ranks import train_weighted


def study(negative=90, positive=10):
    labels = [0.0] * negative + [1.0] * positive
    return [row(i, malignant=label) for i, label in enumerate(labels)]


def build(rows, groups="malignant", epoch=0, **settings):
    sampler = WeightedSampler(Rows(rows), groups, **{"seed": 0, **settings})
    sampler.set_epoch(epoch)
    return sampler


def test_it_draws_what_torch_draws_from_the_same_generator():
    case = golden("07_samplers")["expected"]["weighted_random"]
    drawn = list(build(study(), num_samples=5000))
    assert drawn[:10] == case["first10"]
    weights = [1 / count for count, n in zip((90, 10), (90, 10), strict=True) for _ in range(n)]
    generator = torch.Generator().manual_seed(0)
    assert drawn == list(WeightedRandomSampler(weights, 5000, generator=generator))
    positive = sum(index >= 90 for index in drawn) / 5000
    assert positive == pytest.approx(case["expected_pos_fraction"], abs=case["tolerance"])


def test_it_really_rebalances_where_weights_without_replacement_do_not():
    """System B drew with its weights, but without replacement and as many as there are."""
    rows = study(980, 20)
    share = sum(index >= 980 for index in build(rows)) / 1000
    assert share == pytest.approx(0.5, abs=3 * (0.25 / 1000) ** 0.5)
    weights = [1 / 980] * 980 + [1 / 20] * 20
    published = list(WeightedRandomSampler(weights, 1000, replacement=False))
    assert sorted(published) == list(range(1000))


def test_most_frequent_images_wait_for_another_epoch():
    rows = study(9800, 200)
    drawn = set(build(rows))
    assert 1 - sum(i < 9800 for i in drawn) / 9800 == pytest.approx(math.exp(-0.51), abs=0.02)
    assert drawn >= set(range(9800, 10000))  # each about 25 times


def test_shares_of_groups_by_condition_are_those_asked_for():
    groups = {"cancer": {"malignant": 1}, "other": {"malignant": 0}}
    drawn = list(build(study(), groups, shares={"cancer": 1, "other": 3}, num_samples=8000))
    assert sum(index >= 90 for index in drawn) / 8000 == pytest.approx(0.25, abs=0.015)


def test_an_epoch_is_as_long_as_the_images_it_draws_from():
    rows = [*study(7, 3), row(10)]
    assert len(build(rows, ungrouped="skip")) == len(list(build(rows, ungrouped="skip"))) == 10
    assert 10 not in list(build(rows, ungrouped="skip", num_samples=500))


def test_epochs_and_seeds_draw_differently_and_repeat_themselves():
    assert list(build(study(), epoch=1)) == list(build(study(), epoch=1))
    assert list(build(study(), epoch=1)) != list(build(study(), epoch=0))
    assert list(build(study(), seed=3)) != list(build(study(), seed=4))


@pytest.mark.parametrize("done", [0, 2, 5, 9])
def test_a_loop_by_iterations_goes_on_where_it_was(monkeypatch, done):
    monkeypatch.setattr("mmengine.runner.loops.time.sleep", lambda _: None)

    def stream(skipped, count):
        sampler = build(study(), num_samples=20)
        loader = torch.utils.data.DataLoader(list(range(100)), batch_size=5, sampler=sampler)
        batches = _InfiniteDataloaderIterator(loader)
        batches.skip_iter(skipped)
        return [next(batches).tolist() for _ in range(count)]

    whole = stream(0, 12)  # three epochs of four
    assert whole[:4] != whole[4:8]
    assert stream(done, 12 - done) == whole[done:]
    with pytest.raises(ValueError, match="skip must be >= 0, got -1"):
        build(study()).skip(-1)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_deal_one_draw_out_among_them(monkeypatch, world_size):
    parts = []
    for rank in range(world_size):
        monkeypatch.setattr(epoch_sampler, "get_dist_info", lambda r=rank: (r, world_size))
        parts.append(list(build(study())))
        assert len(build(study())) == len(parts[-1]) == -(-100 // world_size)
    monkeypatch.undo()
    together = list(chain(*zip_longest(*parts)))
    alone = list(build(study(), num_samples=len(together)))
    assert together == alone


def test_a_run_that_was_interrupted_goes_on_with_its_draw(tmp_path):
    changes = {
        "train_dataloader.dataset.type": "GroupedStudy",
        "train_dataloader.sampler": {
            "_delete_": True,
            "type": "WeightedSampler",
            "groups": "malignant",
        },
        "default_hooks.checkpoint": {"type": "CheckpointHook", "interval": 1, "by_epoch": False},
    }

    def train(folder, resume=None):
        cfg = small_config(folder, **changes)
        cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
        cfg.update(load_from=resume, resume=resume is not None)
        runner = PortableRunner.from_cfg(cfg)
        runner.train()
        return runner.model.state_dict()

    whole = train(tmp_path / "whole")
    resumed = train(tmp_path / "resumed", str(tmp_path / "whole" / "iter_6.pth"))
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


def test_balanced_batches_are_a_batch_sampler_with_exactly_as_many_of_each_class():
    """System B handed batches to ``sampler=``; catalyst gives four of eight in every batch."""
    case = golden("07_samplers")["expected"]["catalyst_BatchBalance"]
    sampler = DefaultSampler(Rows(study()), seed=0)
    batches = list(GroupBatchSampler(sampler, 8, "malignant"))[: len(case["batch_sizes"])]
    assert [len(batch) for batch in batches] == case["batch_sizes"]
    assert [sum(i >= 90 for i in batch) for batch in batches] == case["pos_per_batch"]
    loader = torch.utils.data.DataLoader(
        list(range(100)), batch_sampler=GroupBatchSampler(sampler, 8, "malignant")
    )
    assert all(int((batch >= 90).sum()) == 4 for batch in loader)
    with pytest.raises(TypeError):  # lists of lists are no indices
        next(
            iter(
                torch.utils.data.DataLoader(
                    list(range(100)), sampler=BatchSampler(sampler, 8, False), batch_size=2
                )
            )
        )


def test_class_aware_batches_draw_all_of_a_class_before_any_again():
    rows = [row(i, density=float(i % 4 if i < 8 else 0)) for i in range(20)]
    drawn = list(chain(*GroupBatchSampler(DefaultSampler(Rows(rows), seed=0), 4, "density")))
    times = Counter(drawn)
    for density, members in ((0, 14), (1, 2), (2, 2), (3, 2)):
        seen = [times[i] for i in range(20) if rows[i]["gt_label"]["density"] == density]
        assert len(seen) == members
        assert sum(seen) == len(drawn) / 4
        assert max(seen) - min(seen) <= 1


def test_the_log_says_what_an_epoch_is(monkeypatch):
    said = []
    monkeypatch.setattr(weighted_sampler, "print_log", lambda text, **_: said.append(text))
    build([*study(7, 3), row(10)], ungrouped="skip")
    assert said == [
        "WeightedSampler: an epoch draws 10 images with replacement, in shares 0.5 0 (7 images), "
        "0.5 1 (3 images); 1 images of no group are left out"
    ]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ungrouped": "drop"}, "ungrouped must be 'error' or 'skip', got 'drop'"),
        ({"num_samples": 0}, "num_samples must be at least 1, got 0"),
        ({"shares": {"0": 1, "1": 0}}, "shares must be numbers above 0 of 0, 1, got"),
        ({"shares": {"1": 1}}, "shares must be numbers above 0 of 0, 1, got"),
        (
            {"groups": "cancer"},
            r"WeightedSampler: groups must name labels .*malignant.* got cancer",
        ),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        build(study(5, 5), **settings)


@pytest.mark.slow
def test_two_processes_train_and_choose_as_one_with_batches_twice_as_large(tmp_path):
    (tmp_path / "two").mkdir()
    (tmp_path / "ranks").mkdir()
    two = partial(train_weighted, tmp_path / "two", "pytorch")
    first, second = run_on_ranks(two, tmp_path / "ranks")
    alone = train_weighted(tmp_path / "one")
    for name, value in alone["weights"].items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        torch.testing.assert_close(first["weights"][name], value, rtol=1e-5, atol=1e-6)
    assert first["carried"] == pytest.approx(alone["carried"], rel=1e-5)
