from collections import Counter
from itertools import chain

import pytest
from mmengine.dataset import BaseDataset, ConcatDataset, DefaultSampler, InfiniteSampler
from mmengine.hooks import Hook

from group_cases import BALANCED, Rows, row
from mammography.engine.portable_runner import PortableRunner
from mammography.engine.samplers import group_batch_sampler
from mammography.engine.samplers.group_batch_sampler import GroupBatchSampler
from mammography.engine.seeding import NumberedSampler, SeededDataset
from small_study import small_config

MODULES = ("engine.seeding", "engine.samplers.group_batch_sampler")
THREE = {
    "negative": {"benign": 0, "malignant": 0},
    "benign": {"benign": 1, "malignant": 0},
    "malignant": {"malignant": 1},
}
QUARTERS = {"negative": 2, "benign": 1, "malignant": 1}
BY_DOMAIN = {"groups": "domain", "keep_together": "breast"}


def findings(negative, benign, malignant):
    labels = [(0, 0)] * negative + [(1, 0)] * benign + [(0, 1)] * malignant
    return [row(i, benign=float(b), malignant=float(m)) for i, (b, m) in enumerate(labels)]


def domains(source, target):
    """Two views of each of the breasts."""
    names = ["source"] * source + ["target"] * target
    return [row(2 * i + view, f"p{i}", domain=d) for i, d in enumerate(names) for view in (0, 1)]


def build(rows, batch_size, epoch_number=0, seed=0, **settings):
    sampler = DefaultSampler(Rows(rows), seed=seed)
    batches = GroupBatchSampler(sampler, batch_size, **settings)
    sampler.set_epoch(epoch_number)
    return batches


def build_on(monkeypatch, rank, world_size, rows, batch_size, numbered=False, **settings):
    for module in MODULES:
        monkeypatch.setattr(f"mammography.{module}.get_dist_info", lambda: (rank, world_size))
    data, sampler = Rows(rows), {"type": "mmengine.DefaultSampler"}
    inner = NumberedSampler(data, sampler, 0) if numbered else DefaultSampler(data, seed=0)
    return GroupBatchSampler(inner, batch_size, **settings)


def shares(rows, batch, field="domain"):
    return Counter(rows[index][field] for index in batch)


def test_adversarial_batches_are_half_source_and_half_target_with_whole_breasts():
    rows = domains(source=15, target=5)
    batches = build(rows, 8, **BY_DOMAIN, epoch="source")
    drawn = list(batches)
    assert len(drawn) == len(batches) == 8  # ceil(30 / (8 / 2))
    for batch in drawn:
        assert shares(rows, batch) == {"source": 4, "target": 4}
        views = Counter(rows[index]["patient_id"] for index in batch)
        assert set(views.values()) == {2}
    assert {index for index in chain(*drawn) if index < 30} == set(range(30))


def test_three_classes_take_a_half_and_two_quarters():
    rows = findings(40, 9, 7)
    batches = build(rows, 8, groups=THREE, shares=QUARTERS, epoch="shortest")
    drawn = list(batches)
    assert len(drawn) == len(batches) == 3  # 7 // (8 / 4)
    for batch in drawn:
        kinds = Counter("nbm"[(index >= 40) + (index >= 49)] for index in batch)
        assert kinds == {"n": 4, "b": 2, "m": 2}
    assert len(set(chain(*drawn))) == 24


def test_the_epoch_of_a_target_class_draws_all_of_it():
    groups = {"cancer": {"malignant": 1}, "other": {"malignant": 0}}
    drawn = list(build(findings(40, 9, 7), 4, groups=groups, epoch="cancer"))
    assert len(drawn) == 4  # ceil(2 * 7 / 4)
    assert {index for index in chain(*drawn) if index >= 49} == set(range(49, 56))


def test_the_longest_epoch_draws_every_image():
    drawn = list(build(findings(11, 9, 30), 3, groups=THREE))
    assert len(drawn) == 30
    assert set(chain(*drawn)) == set(range(50))


def test_domain_and_class_can_be_balanced_together():
    rows = [row(i, domain="target") for i in range(6)]
    rows += [row(i, malignant=float(i % 3 == 0)) for i in range(6, 30)]
    groups = {
        "target": {"domain": "target"},
        "cancer": {"domain": "source", "malignant": 1},
        "other": {"domain": ["source"], "malignant": [0]},
    }
    for batch in build(rows, 4, groups=groups, shares={"target": 2, "cancer": 1, "other": 1}):
        assert [rows[i]["gt_label"].get("malignant") for i in batch] == [None, None, 1, 0]


def test_the_classes_of_a_task_can_be_the_groups():
    rows = [row(i, density=float(i % 4)) for i in range(16)]
    for batch in build(rows, 4, groups="density", epoch="3"):
        assert [rows[i]["gt_label"]["density"] for i in batch] == [0, 1, 2, 3]


def test_epochs_and_seeds_draw_other_batches_and_repeat_themselves():
    def draw(**which):
        return list(build(domains(15, 5), 8, **BY_DOMAIN, **which))

    assert draw() == draw() != draw(epoch_number=1)
    assert draw() != draw(seed=1)


@pytest.mark.parametrize("single_views", [0, 7])
def test_processes_together_draw_the_batches_and_the_positions_of_one(monkeypatch, single_views):
    rows = domains(15, 6) + [row(42 + i, f"s{i}", domain="target") for i in range(single_views)]

    def pairs(rank, world_size, batch_size):
        batches = build_on(monkeypatch, rank, world_size, rows, batch_size, True, **BY_DOMAIN)
        batches.sampler.set_epoch(3)
        return list(batches)

    alone = pairs(0, 1, 8)
    ranks = [pairs(rank, 2, 4) for rank in (0, 1)]
    for whole, *parts in zip(alone, *ranks, strict=True):
        assert sorted(chain(*parts)) == sorted(whole)
        for part in parts:
            assert shares(rows, [index for index, _ in part]) == {"source": 2, "target": 2}
            views = Counter(rows[index]["patient_id"] for index, _ in part)
            assert single_views or set(views.values()) == {2}


def test_no_position_comes_twice_in_a_training(monkeypatch):
    batches = build_on(monkeypatch, 0, 1, domains(15, 5), 8, True, **BY_DOMAIN)
    positions = []
    for epoch in range(3):
        batches.sampler.set_epoch(epoch)
        positions += [position for _, position in chain(*batches)]
    assert len(set(positions)) == len(positions) == 3 * len(batches) * 8


def test_an_epoch_can_start_in_its_middle(monkeypatch):
    batches = build_on(monkeypatch, 0, 1, domains(15, 5), 8, True, **BY_DOMAIN)
    batches.sampler.set_epoch(1)
    whole = list(batches)
    batches.sampler.set_epoch(1, first=24)
    assert list(batches) == whole[3:]
    assert len(batches) == len(whole)


class RecordHook(Hook):
    def __init__(self):
        self.batches = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.batches.append([sample.sample_idx for sample in data_batch["data_samples"]])


class Source(BaseDataset):
    def load_data_list(self):
        return [row(i, f"p{i // 2}", domain=self.ann_file) for i in range(8)]


def test_patients_of_two_sources_with_one_pseudonym_are_not_one_breast():
    data = ConcatDataset([Source("source"), Source("source"), Source("target")])
    sampler = DefaultSampler(data, seed=0)
    batches = GroupBatchSampler(sampler, 4, **BY_DOMAIN)
    assert [len(unit) for unit in batches.groups["source"]] == [2] * 8


def test_wrappers_of_datasets_are_looked_through():
    data = SeededDataset({"type": "GroupedStudy"}, seed=0)
    batches = GroupBatchSampler(DefaultSampler(data, seed=0), 2, groups="malignant")
    assert [len(units) for units in batches.groups.values()] == [6, 6]


def test_images_without_patient_or_side_stay_alone():
    rows = [*domains(2, 2), row(8, None), row(9, "p0", laterality=None)]
    assert build(rows, 2, **BY_DOMAIN).groups["source"] == [(0, 1), (2, 3), (8,), (9,)]


@pytest.fixture
def told(monkeypatch):
    said = []
    monkeypatch.setattr(group_batch_sampler, "print_log", lambda text, **_: said.append(text))
    return said


def test_images_in_no_group_can_be_left_out_and_their_number_is_told(told):
    rows = [*findings(4, 4, 4), row(12, benign=1.0)]
    settings = {"groups": THREE, "shares": QUARTERS}
    with pytest.raises(ValueError, match=r"hold every image, got 1 of 13 in none, images/12.png"):
        build(rows, 4, **settings)
    assert 12 not in chain(*build(rows, 4, **settings, ungrouped="skip"))
    assert told[0].endswith(
        "each of the 4 batches of an epoch holds 2 of 4 negative, 1 of 4 benign, 1 of 4 malignant "
        "images; 1 images of no group are left out"
    )


def test_a_set_without_domains_is_told_what_it_lacks():
    rows = [row(i, domain=None) for i in range(4)]
    with pytest.raises(ValueError, match=r"got 4 of 4 in none, .*: give each a domain or set"):
        build(rows, 2, groups="domain")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 6}, r"batch_size must be a multiple of 4 \(.*\), got 6: take 4 or 8"),
        ({"batch_size": 2}, "got 2: take 4$"),
        ({"shares": {"negative": 1}}, "shares must be those of negative, benign, malignant, got n"),
        ({"shares": dict.fromkeys(THREE, 0.25)}, r"shares must be whole numbers >= 1, got 0\.25"),
        ({"epoch": "nothing"}, "epoch must be longest, shortest or one of negative, .* 'nothing'"),
        ({"keep_together": "exam"}, "keep_together must be 'breast' or None .* got 'exam'"),
        ({"keep_together": "breast"}, "must find patient_id and laterality of images, got none"),
        ({"ungrouped": "ignore"}, "ungrouped 'error' or 'skip', got None and 'ignore'"),
        ({"groups": {**THREE, "m": {"benign": 1}}}, r"14.png is in benign and m: add a condition"),
        (
            {"groups": {**THREE, "b": {"benign": 2}}},
            "every group must hold an image, got none in b",
        ),
        ({"groups": {**THREE, "m": {"malignat": 1}}}, r"\(.*malignant.*\), got malignat"),
        ({"groups": {"all": {"benign": [0, 1]}}}, "must divide .* into two or more, got all only"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    settings = {"batch_size": 4, "groups": THREE, "shares": QUARTERS} | settings
    with pytest.raises(ValueError, match=message):
        build(findings(14, 6, 6), **settings)


def test_an_epoch_without_a_batch_is_refused():
    with pytest.raises(
        ValueError, match="got 3 images of group malignant for 4 places: take epoch"
    ):
        build(findings(40, 9, 3), 16, groups=THREE, shares=QUARTERS, epoch="shortest")


def test_a_group_smaller_than_its_places_is_warned_of(told):
    build(findings(40, 9, 3), 16, groups=THREE, shares=QUARTERS)
    assert "a batch has 4 places for the 3 images of malignant" in told[1]
    assert len(told) == 2


@pytest.mark.parametrize("sampler", [None, InfiniteSampler([1])])
def test_a_sampler_without_epochs_is_refused(sampler):
    with pytest.raises(ValueError, match=f"must be a DefaultSampler, got {type(sampler).__name__}"):
        GroupBatchSampler(sampler, 4, groups="domain")


def test_a_dataset_that_tells_nothing_of_its_images_is_refused():
    with pytest.raises(ValueError, match="dataset must have get_data_info, got list"):
        GroupBatchSampler(DefaultSampler([1, 2]), 2, groups="domain")


def test_the_loop_of_mmengine_draws_other_batches_in_each_epoch(tmp_path):
    cfg = small_config(tmp_path, **BALANCED)
    cfg.train_cfg = {"type": "EpochBasedTrainLoop", "max_epochs": 2}
    cfg.default_hooks.sampler_seed = {"type": "DistSamplerSeedHook"}
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    runner, record = PortableRunner.from_cfg(cfg), RecordHook()
    runner.register_hook(record)
    runner.train()
    assert len(record.batches) == 6
    assert all(Counter(i % 2 for i in batch) == {0: 2, 1: 2} for batch in record.batches)
    assert record.batches[:3] != record.batches[3:]
