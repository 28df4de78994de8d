from functools import partial

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import find_latest_checkpoint

from mammography.engine.portable_runner import PortableRunner
from ranks import run_on_ranks
from staged_cases import STAGES, staged_config, train_staged

HEAD = {"heads.weight", "heads.bias"}
NORM = {"body.1.weight", "body.1.bias"}
CONVOLUTION = {"body.0.weight", "body.0.bias"}
STATISTICS = {"body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked"}
FIRST_STEPS = [0, 4, 12]

BARE = {}
MIXED = {"optim_wrapper.type": "CpuAmpOptimWrapper"}
GROUPED = {
    "optim_wrapper.optimizer.weight_decay": 0.01,
    "optim_wrapper.paramwise_cfg": {"custom_keys": {"heads": {"lr_mult": 2, "decay_mult": 0}}},
}
SCHEDULED = {
    "custom_hooks.0.stages": [
        STAGES[0],
        STAGES[1]
        | {
            "param_scheduler": [
                {"type": "LinearLR", "by_epoch": False, "end": 3},
                {"type": "CosineAnnealingLR", "convert_to_iter_based": True},
            ],
            "norm_statistics": "like_affine",
        },
        STAGES[2] | {"param_scheduler": [{"type": "StepLR", "step_size": 1}]},
    ]
}


class InterruptedRunError(Exception):
    pass


class Interrupt(Hook):
    """Ends the run as kill -9 would, after ``step`` steps and the hooks that follow them."""

    priority = "LOWEST"

    def __init__(self, step):
        self.step = step

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.step:
            raise InterruptedRunError


class Watch(Hook):
    """Notes what each step moves, and what it costs."""

    priority = "LOWEST"

    def __init__(self):
        self.moved, self.rates, self.sizes = [], [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.before = {k: v.clone() for k, v in runner.model.state_dict().items()}
        groups = runner.optim_wrapper.optimizer.param_groups
        self.rates.append([(group["lr"], group["weight_decay"]) for group in groups])
        self.sizes.append(sum(p.numel() for group in groups for p in group["params"]))

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        after = runner.model.state_dict()
        self.moved.append({k for k, v in after.items() if not torch.equal(v, self.before[k])})


def build(folder, resume=False, **changes):
    cfg = staged_config(folder, **changes)
    if resume:
        cfg.update(resume=True, load_from=find_latest_checkpoint(folder))
    return PortableRunner.from_cfg(cfg)


def watched(folder, **changes):
    runner, watch = build(folder, **changes), Watch()
    runner.register_hook(watch)
    runner.train()
    return watch


def state(runner):
    optimizer = runner.optim_wrapper.state_dict()
    moments = [v for entry in optimizer["state"].values() for v in entry.values()]
    rates = [group["lr"] for group in optimizer["param_groups"]]
    return [*runner.model.state_dict().values(), *moments, torch.tensor(rates)]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Runs by what is changed, each once."""
    runs = {}

    def run(name, changes):
        if name not in runs:
            runs[name] = build(tmp_path_factory.mktemp(name), **changes)
            runs[name].train()
        return runs[name]

    return run


def test_each_stage_moves_what_it_names_and_the_statistics_follow_the_images(tmp_path):
    watch = watched(tmp_path)
    for first, last, names in ((0, 4, HEAD), (4, 12, HEAD | NORM), (12, 16, None)):
        for moved in watch.moved[first:last]:
            assert moved == STATISTICS | (names or HEAD | NORM | CONVOLUTION)


def test_each_stage_has_its_rates_and_only_its_parameters_in_the_optimizer(tmp_path):
    watch = watched(tmp_path)
    default = 0.01  # of AdamW, where the stage and the config say nothing
    assert [watch.rates[step] for step in FIRST_STEPS] == [
        [(0.1, 0.5)],
        [(0.05, default)],
        [(0.01, 0.0)],
    ]
    assert [watch.sizes[step] for step in FIRST_STEPS] == [25, 33, 73]


def test_multiplied_rates_are_those_of_the_stage(tmp_path):
    watch = watched(tmp_path, **GROUPED)
    assert watch.rates[0] == [(0.2, 0.0)] * 2  # a group per parameter
    assert sorted(set(watch.rates[12])) == [(0.01, 0.0), (0.02, 0.0)]


@pytest.mark.parametrize(
    ("statistics", "moving"),
    [("update", [True, True, True]), ("like_affine", [False, True, True]), ("freeze", [False] * 3)],
)
def test_statistics_of_frozen_norms_move_or_stay_as_asked(tmp_path, statistics, moving):
    watch = watched(tmp_path, **{"custom_hooks.0.norm_statistics": statistics})
    assert [watch.moved[step] >= STATISTICS for step in FIRST_STEPS] == moving
    assert [bool(STATISTICS & watch.moved[step]) for step in FIRST_STEPS] == moving


def test_a_stage_begins_with_a_new_optimizer(tmp_path):
    """After eight steps its moments have seen the four of the second stage."""
    whole = build(tmp_path / "whole")
    whole.register_hook(Interrupt(8))
    with pytest.raises(InterruptedRunError):
        whole.train()
    steps = {int(e["step"]) for e in whole.optim_wrapper.state_dict()["state"].values()}
    assert steps == {4}


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
@pytest.mark.parametrize("stop", [2, 4, 5, 10, 12, 13])
def test_a_run_interrupted_anywhere_ends_as_the_uninterrupted_one(tmp_path, uninterrupted, stop):
    """Inside each stage, and right before and after it ends, bit for bit."""
    _resume_equals(tmp_path, uninterrupted("bare", BARE), stop, BARE)


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
@pytest.mark.parametrize("stop", [3, 6, 14])
@pytest.mark.parametrize(
    ("name", "changes"),
    [("mixed", MIXED), ("grouped", GROUPED), ("scheduled", SCHEDULED)],
    ids=["mixed precision", "parameter groups", "schedulers"],
)
def test_so_does_one_with(tmp_path, uninterrupted, name, changes, stop):
    _resume_equals(tmp_path, uninterrupted(name, changes), stop, changes)


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
@pytest.mark.parametrize("stop", [4, 12])
def test_so_does_one_that_goes_back_to_the_last_epoch(tmp_path, uninterrupted, stop):
    """The checkpoint between two stages holds the optimizer of the one that is over."""
    changes = {"default_hooks.checkpoint.by_epoch": True}
    _resume_equals(tmp_path, uninterrupted("bare", BARE), stop + 2, changes)


def _resume_equals(folder, whole, stop, changes):
    stopped = build(folder, **changes)
    stopped.register_hook(Interrupt(stop))
    with pytest.raises(InterruptedRunError):
        stopped.train()
    resumed = build(folder, resume=True, **changes)
    resumed.train()
    assert resumed.iter == 16
    pairs = list(zip(state(whole), state(resumed), strict=True))
    assert all(torch.equal(first, second) for first, second in pairs)


def test_gradients_left_at_the_end_of_a_stage_make_a_last_step(tmp_path):
    """Of four steps the third closes a window of three, and the fourth one of its own."""
    watch = watched(tmp_path, **{"optim_wrapper.accumulative_counts": 3})
    learned = [bool(HEAD & moved) for moved in watch.moved]
    assert learned[:4] == [False, False, True, True]
    assert learned[4:12] == [False, False, True, False, False, True, False, True]


def test_the_log_says_what_trains_in_each_stage(tmp_path, caplog):
    runner = build(tmp_path)
    runner.logger.setLevel("INFO")
    runner.logger.addHandler(caplog.handler)
    runner.train()
    said = [r.getMessage() for r in caplog.records if "parameters train" in r.getMessage()]
    assert said == [
        "StagedTrainingHook: stage 1 of 3, epochs 1 to 1, lr 0.1, weight decay 0.5: "
        "25 of 73 parameters train: Linear 25 (1 layer); "
        "frozen: BatchNorm2d 8 (1 layer), Conv2d 40 (1 layer); "
        "statistics of batch norm: 1 update, 0 keep theirs",
        "StagedTrainingHook: stage 2 of 3, epochs 2 to 3, lr 0.05, weight decay 0.01: "
        "33 of 73 parameters train: BatchNorm2d 8 (1 layer), Linear 25 (1 layer); "
        "frozen: Conv2d 40 (1 layer); statistics of batch norm: 1 update, 0 keep theirs",
        "StagedTrainingHook: stage 3 of 3, epochs 4 to 4, lr 0.01, weight decay 0: "
        "73 of 73 parameters train: BatchNorm2d 8 (1 layer), Conv2d 40 (1 layer), "
        "Linear 25 (1 layer); frozen: none; statistics of batch norm: 1 update, 0 keep theirs",
    ]


def test_two_processes_end_with_the_weights_of_one_with_batches_twice_as_large(tmp_path):
    """The parallel model is built anew at each stage: it waits for no frozen gradient."""
    first, second = run_on_ranks(partial(train_staged, tmp_path / "both", "pytorch"), tmp_path)
    alone = train_staged(tmp_path / "alone")
    assert (first["steps"], first["reduced_tensors"]) == (16, 6)
    for name, value in alone["weights"].items():
        assert torch.equal(first["weights"][name], second["weights"][name])
        torch.testing.assert_close(first["weights"][name], value, rtol=1e-5, atol=1e-6)


def test_a_test_alone_is_left_as_it_is(tmp_path):
    runner = build(tmp_path)
    runner.test()
    assert all(parameter.requires_grad for parameter in runner.model.parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_cfg.max_epochs": 5}, r"add up to max_epochs=5, got 1 \+ 2 \+ 1 = 4"),
        (
            {"custom_hooks.0.stages.2.trainable": ["bodi"]},
            r"stages\[2\]: trainable must match names in the model, got 'bodi': there is body",
        ),
        ({"param_scheduler": [{"type": "StepLR", "step_size": 1}]}, "give each stage its own"),
        ({"train_cfg": {"_delete_": True, "type": "IterBasedTrainLoop", "max_iters": 4}}, "epochs"),
    ],
)
def test_stages_that_do_not_fit_the_run_stop_it_before_it_trains(tmp_path, changes, message):
    with pytest.raises(ValueError, match=f"StagedTrainingHook.*{message}"):
        build(tmp_path, **changes).train()


def test_a_checkpoint_of_a_run_without_stages_is_not_resumed(tmp_path):
    build(tmp_path, custom_hooks=[]).train()
    with pytest.raises(ValueError, match=r"must be of a run in stages, .* without: .*load_from"):
        build(tmp_path, resume=True).train()


def test_a_checkpoint_of_other_stages_is_not_resumed(tmp_path):
    stopped = build(tmp_path)
    stopped.register_hook(Interrupt(6))
    with pytest.raises(InterruptedRunError):
        stopped.train()
    other = [STAGES[1], STAGES[0] | {"epochs": 2}, {"epochs": 1, "trainable": [".*"]}]
    with pytest.raises(ValueError, match="the checkpoint has seen must stay as they were"):
        build(
            tmp_path, resume=True, **{"custom_hooks.0.stages": other, "train_cfg.max_epochs": 5}
        ).train()
