import json
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import find_latest_checkpoint
from torch import nn

from mammography.engine.hooks.adversarial_strength_hook import AdversarialStrengthHook
from mammography.engine.portable_runner import PortableRunner
from mammography.functional.gradient_reversal import adversarial_strength
from two_hospitals import two_hospitals_config, write_hospitals


class StopError(Exception):
    pass


class StopHook(Hook):
    """Ends the run as kill -9 would, after ``step`` steps and the hooks that follow them."""

    priority = "LOWEST"

    def __init__(self, step):
        self.step = step

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.step:
            raise StopError


class WatchHook(Hook):
    """Notes the strength that each step is done with."""

    def __init__(self):
        self.seen = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.seen.append(runner.model.strength)


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory):
    root = tmp_path_factory.mktemp("hospitals")
    write_hospitals(root)
    return root


def build(hospitals, folder, resume=False, **changes):
    cfg = two_hospitals_config(hospitals, folder, **changes)
    if resume:
        cfg.update(resume=True, load_from=find_latest_checkpoint(folder))
    return PortableRunner.from_cfg(cfg)


def train(*args, **changes):
    runner = build(*args, **changes)
    watch = WatchHook()
    runner.register_hook(watch)
    runner.train()
    return runner, watch.seen


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, hospitals):
    """A run of two epochs with five steps each: folder, runner and strengths."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return folder, *train(hospitals, folder)


# MMEngine counts the optimizer steps since the start of the process only.
@pytest.mark.filterwarnings("ignore:Detected call of `scheduler.step:UserWarning")
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path, hospitals, uninterrupted
):
    _, whole, strengths = uninterrupted
    assert strengths == [adversarial_strength(step / 10) for step in range(10)]
    first = build(hospitals, tmp_path)
    first.register_hook(StopHook(7))
    with pytest.raises(StopError):
        first.train()
    resumed, rest = train(hospitals, tmp_path, resume=True)
    assert rest == strengths[7:]
    assert resumed.optim_wrapper.get_lr() == whole.optim_wrapper.get_lr()
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_the_log_shows_strength_losses_and_accuracy_of_the_domain(uninterrupted):
    folder, runner, strengths = uninterrupted
    lines = (folder / runner.timestamp / "vis_data/scalars.json").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["adversarial_strength"] for row in rows] == pytest.approx(strengths)
    assert rows[0]["loss"] == pytest.approx(rows[0]["malignant_loss"] + rows[0]["domain_loss"])
    assert all(0 <= row["domain_accuracy"] <= 1 for row in rows)
    assert rows[5]["lr"] == pytest.approx(0.05 / 6**0.75)


@pytest.mark.parametrize("wrap", [lambda model: model, nn.DataParallel], ids=["plain", "wrapped"])
def test_the_strength_is_set_on_the_model_itself_and_written_down(wrap):
    model, written = nn.Module(), {}
    model.strength = None
    runner = SimpleNamespace(
        model=wrap(model),
        iter=5,
        max_iters=10,
        message_hub=SimpleNamespace(update_scalar=written.__setitem__),
    )
    hook = AdversarialStrengthHook(max_strength=0.3, steepness=4.0)
    hook.before_train(runner)
    hook.before_train_iter(runner, 0)
    assert model.strength == adversarial_strength(0.5, 0.3, 4.0)
    assert written == {"train/adversarial_strength": model.strength}


def test_a_model_without_strength_is_refused_before_the_first_step():
    with pytest.raises(ValueError, match="must be a DomainAdversarialClassifier, got Linear"):
        AdversarialStrengthHook().before_train(SimpleNamespace(model=nn.Linear(1, 1)))


@pytest.mark.parametrize(("limit", "steepness"), [(-1.0, 10.0), (1.0, 0.0)])
def test_what_cannot_be_is_refused_at_construction(limit, steepness):
    with pytest.raises(ValueError, match=f"got {limit} and {steepness}"):
        AdversarialStrengthHook(limit, steepness)
