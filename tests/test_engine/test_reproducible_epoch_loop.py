import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import CheckpointLoader, find_latest_checkpoint

from group_cases import BALANCED
from mammography.engine.loops.reproducible_epoch_loop import ReproducibleEpochLoop
from mammography.engine.portable_runner import PortableRunner
from small_study import small_config


class InterruptedRunError(Exception):
    pass


class InterruptHook(Hook):
    """Ends the run as kill -9 would, after ``step`` steps and the hooks that follow them."""

    priority = "LOWEST"

    def __init__(self, step):
        self.step = step

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.step:
            raise InterruptedRunError


def build(folder, resume=False, **changes):
    cfg = small_config(folder, **changes)
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    if resume:
        cfg.update(resume=True, load_from=find_latest_checkpoint(folder))
    return PortableRunner.from_cfg(cfg)


def train(folder, **changes):
    runner = build(folder, **changes)
    runner.train()
    return runner


def interrupt(folder, step, **changes):
    runner = build(folder, **changes)
    runner.register_hook(InterruptHook(step))
    with pytest.raises(InterruptedRunError):
        runner.train()


def state(runner):
    optimizer = runner.optim_wrapper.state_dict()["state"]
    moments = [value for entry in optimizer.values() for value in entry.values()]
    return [*runner.model.state_dict().values(), *moments]


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(state(first), state(second), strict=True))


EVERY_STEP = {"default_hooks.checkpoint.by_epoch": False}
EMA = {"custom_hooks": [{"type": "EMAHook", "momentum": 0.1}]}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A run of two epochs with four steps each."""
    return train(tmp_path_factory.mktemp("uninterrupted"))


# MMEngine counts the optimizer steps since the start of the process only.
@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
@pytest.mark.parametrize(
    ("stop", "workers", "changes"),
    [
        (6, 0, {}),
        (6, 0, EVERY_STEP),
        (4, 0, EVERY_STEP),
        (6, 2, EVERY_STEP),
    ],
    ids=["back to the last epoch", "inside an epoch", "before its end", "with two workers"],
)
def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path, uninterrupted, stop, workers, changes
):
    interrupt(tmp_path, stop, workers=workers, **changes)
    resumed = train(tmp_path, resume=True, workers=workers, **changes)
    assert resumed.iter == 8
    assert same(resumed, uninterrupted)


@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
@pytest.mark.parametrize(("stop", "workers"), [(5, 0), (4, 2)])
def test_so_does_one_with_batches_of_groups(tmp_path, stop, workers):
    uninterrupted = train(tmp_path / "a", **BALANCED)
    interrupt(tmp_path / "b", stop, workers=workers, **EVERY_STEP, **BALANCED)
    resumed = train(tmp_path / "b", resume=True, workers=workers, **EVERY_STEP, **BALANCED)
    assert (len(resumed.train_dataloader), resumed.iter) == (3, 6)
    assert same(resumed, uninterrupted)


def test_so_does_its_moving_average(tmp_path):
    interrupt(tmp_path / "a", 6, **EVERY_STEP, **EMA)
    resumed = train(tmp_path / "a", resume=True, **EVERY_STEP, **EMA)
    assert same(resumed, train(tmp_path / "b", **EMA))
    first, second = (
        CheckpointLoader.load_checkpoint(str(path))["state_dict"]
        for path in (tmp_path / "a" / "iter_8.pth", tmp_path / "b" / "epoch_2.pth")
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_another_seed_gives_other_weights(tmp_path, uninterrupted):
    assert not same(train(tmp_path, **{"randomness.seed": 1}), uninterrupted)


def test_an_epoch_of_another_length_cannot_be_continued_in_its_middle(tmp_path):
    interrupt(tmp_path, 6, **EVERY_STEP)
    with pytest.raises(ValueError, match=r"must have the 4 steps .* after 2 of them, got 6"):
        train(tmp_path, resume=True, **EVERY_STEP, **{"train_dataloader.batch_size": 2})


def test_between_epochs_the_length_may_change_and_a_warning_says_what_that_means(tmp_path, caplog):
    interrupt(tmp_path, 6)
    runner = build(tmp_path, resume=True, **{"train_dataloader.batch_size": 2})
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert (runner.epoch, runner.iter) == (2, 12)
    assert "an epoch has 6 steps, it had 4 in the checkpoint" in caplog.text


def test_lost_gradients_are_told(tmp_path, caplog):
    halves = EVERY_STEP | {"optim_wrapper.accumulative_counts": 2}
    interrupt(tmp_path, 5, **halves)
    runner = build(tmp_path, resume=True, **halves)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert "gradients accumulated since the last optimizer step are lost" in caplog.text


def test_a_loader_that_is_built_already_is_refused(tmp_path):
    with pytest.raises(TypeError, match="dataloader must be a config, got DataLoader"):
        ReproducibleEpochLoop(build(tmp_path), torch.utils.data.DataLoader([1]), max_epochs=1)


def test_a_run_that_has_had_its_epochs_stays_as_it_is_and_says_so(tmp_path, caplog):
    done = train(tmp_path)
    again = build(tmp_path, resume=True, log_level="INFO")
    again.logger.addHandler(caplog.handler)
    again.train()
    assert "nothing to train" in caplog.text
    assert same(done, again)
