import copy
import logging
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn

from mammography.engine.hooks.norm_statistics_hook import NormStatisticsHook
from mammography.functional.batch_norm import find_norm_layers
from mammography.models.tta import multi_task_tta_model  # noqa: F401
from norm_cases import KeepPredictions, build, norm_config, on_ranks, predictions
from ranks import run_on_ranks

CHOICES = [
    {"statistics": "running"},
    {"statistics": "batch"},
    {"statistics": "target"},
    {"statistics": "mixed"},
    {"statistics": "entropy", "optimizer": {"type": "SGD", "lr": 0.05}, "steps": 2},
]


def choice(**settings):
    return {"type": "NormStatisticsHook", **settings}


def run_test(tmp_path, hooks, **changes):
    runner = build(norm_config(tmp_path, hooks, **changes))
    state = copy.deepcopy(runner.model.state_dict())
    runner.test()
    return runner, state, predictions(runner)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Predictions of a test without the hook."""
    return run_test(tmp_path_factory.mktemp("plain"), [])[2]


@pytest.mark.parametrize("settings", CHOICES, ids=lambda c: c["statistics"])
def test_each_choice_is_one_line_and_leaves_the_checkpoint_bit_for_bit(tmp_path, plain, settings):
    runner, state, ours = run_test(tmp_path, [choice(**settings)])
    assert torch.equal(ours, plain) == (settings["statistics"] == "running")
    after = runner.model.state_dict()
    assert state.keys() == after.keys()
    assert all(torch.equal(state[name], after[name]) for name in state)
    assert all(p.requires_grad and p.grad is None for p in runner.model.parameters())
    assert not any("forward" in vars(module) for module in runner.model.modules())


def test_target_statistics_are_those_of_the_tested_images_and_of_no_batch(tmp_path):
    """One batch of all of them: the batch statistics but for the unbiased variance."""
    settings = {"test_dataloader.batch_size": 7}
    _, _, target = run_test(tmp_path / "a", [choice(statistics="target")], **settings)
    _, _, batch = run_test(tmp_path / "b", [choice(statistics="batch")], **settings)
    torch.testing.assert_close(target, batch, rtol=0, atol=0.1)
    assert not torch.equal(target, batch)
    settings["test_dataloader.batch_size"] = 1  # a prediction does not depend on its batch
    _, _, alone = run_test(tmp_path / "c", [choice(statistics="target", batch_size=7)], **settings)
    torch.testing.assert_close(alone, target, rtol=1e-5, atol=1e-5)


def test_another_set_of_images_can_be_the_target(tmp_path, plain):
    other = {
        "dataset": {"type": "TwoLooks", "length": 9, "domain": "target"},
        "sampler": {"type": "DefaultSampler", "shuffle": True},
        "batch_sampler": {"type": "anything"},
    }
    _, _, far = run_test(tmp_path / "a", [choice(statistics="target", dataloader=other)])
    _, _, near = run_test(tmp_path / "b", [choice(statistics="target")])
    assert not torch.allclose(far, near, atol=1e-3)
    assert not torch.allclose(far, plain, atol=1e-3)


def test_a_batch_is_predicted_before_it_is_learned_from(tmp_path):
    """So the first batch gets what the statistics of the batch alone give."""
    settings = {"optimizer": {"type": "SGD", "lr": 0.5}}
    _, _, ours = run_test(tmp_path / "a", [choice(statistics="entropy", **settings)])
    _, _, batch = run_test(tmp_path / "b", [choice(statistics="batch")])
    torch.testing.assert_close(ours[:4], batch[:4])
    assert not torch.allclose(ours[4:], batch[4:], atol=1e-3)


@pytest.fixture(scope="module")
def one_and_two(tmp_path_factory):
    """What one process gives and what each of two gives."""
    folder = tmp_path_factory.mktemp("processes")
    alone = on_ranks(folder / "one", CHOICES)
    return alone, run_on_ranks(partial(on_ranks, folder / "two", CHOICES), folder)


def test_two_processes_measure_what_one_measures(one_and_two):
    alone, ranks = one_and_two
    assert len(alone["moments"]) == 20
    for rank in ranks:
        for name, one in alone["moments"].items():
            two, deviation = rank["moments"][name], one["variance"].sqrt()
            assert two["count"] == one["count"]
            assert ((two["mean"] - one["mean"]) / deviation).abs().max() < 1e-6
            assert (two["variance"].sqrt() / deviation - 1).abs().max() < 1e-6


def test_two_processes_predict_what_one_predicts(one_and_two):
    """Seven images: the second process ends with the first image, which is repeated."""
    alone, (first, second) = one_and_two
    for settings, one, a, b in zip(
        CHOICES, alone["scores"], first["scores"], second["scores"], strict=True
    ):
        together = torch.empty_like(one)
        together[0::2], together[1::2] = a, b[1:]
        torch.testing.assert_close(together, one, rtol=5e-6, atol=1e-6, msg=str(settings))


def test_two_processes_with_a_domain_each_predict_what_one_predicts(one_and_two):
    """A process takes part in the statistics of a domain that it has no image of."""
    alone, (first, second) = one_and_two
    for one, a, b in zip(alone["domains"], first["domains"], second["domains"], strict=True):
        together = torch.empty_like(one)
        together[0::2], together[1::2] = a, b
        torch.testing.assert_close(together, one, rtol=5e-6, atol=2e-6)


def test_a_validation_between_epochs_changes_nothing_of_the_training(tmp_path):
    """Not with averaged weights either, which are swapped in for the validation."""
    average = {"type": "EMAHook", "momentum": 0.3, "update_buffers": True}
    trained = []
    for number, settings in enumerate((None, *CHOICES[1:])):
        hooks = [average, *([choice(when=("val",), **settings)] if settings else [])]
        runner = build(norm_config(tmp_path / str(number), hooks))
        runner.train()
        kept = [hook for hook in runner.hooks if isinstance(hook, KeepPredictions)]
        assert len(kept[0].scores) == 7
        averaged = next(hook.ema_model for hook in runner.hooks if hasattr(hook, "ema_model"))
        saved = torch.load(tmp_path / str(number) / "epoch_2.pth", weights_only=False)
        trained.append(
            runner.model.state_dict() | averaged.state_dict() | {"saved": saved["state_dict"]}
        )
    for other in trained[1:]:
        for name in trained[0].keys() - {"saved"}:
            assert torch.equal(trained[0][name], other[name]), name
        for name, tensor in trained[0]["saved"].items():
            assert torch.equal(tensor, other["saved"][name]), name


def test_every_validation_has_the_statistics(tmp_path):
    inside = []

    class Spy(KeepPredictions):
        def _before_iter(self, runner, batch_idx, data_batch=None, mode="train"):
            replaced = ["forward" in vars(m) for m in find_norm_layers(runner.model).values()]
            inside.append((mode, all(replaced), any(replaced)))

    runner = build(norm_config(tmp_path, [choice(statistics="batch", when=("val",))]))
    runner.register_hook(Spy())
    runner.train()
    assert {mode for mode, _, _ in inside} == {"train", "val"}
    assert all(every is some is (mode == "val") for mode, every, some in inside)


def test_versions_of_an_image_have_the_statistics_of_their_batch(tmp_path):
    cfg = norm_config(tmp_path, [choice(statistics="batch")])
    hook = NormStatisticsHook("batch")
    inner = build(cfg).model
    model = MODELS.build({"type": "MultiTaskTTAModel", "module": inner})
    runner = build(cfg)
    runner.model = model
    hook.before_run(runner)
    hook.before_test_epoch(runner)
    assert all("forward" in vars(m) for m in find_norm_layers(inner).values())
    hook.after_test_epoch(runner)


@pytest.mark.parametrize("settings", CHOICES, ids=lambda c: c["statistics"])
def test_in_mixed_precision_the_statistics_are_nearly_the_same(tmp_path, settings):
    _, _, exact = run_test(tmp_path / "a", [choice(**settings)])
    _, _, mixed = run_test(tmp_path / "b", [choice(**settings)], **{"test_cfg.fp16": True})
    assert not torch.equal(mixed, exact)
    torch.testing.assert_close(mixed, exact, rtol=0.1, atol=0.1)


class Layers(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(3)


def runner_of(model, caplog):
    caplog.set_level(logging.INFO)
    return SimpleNamespace(model=model, logger=logging.getLogger("norm"))


def test_a_model_without_batch_norm_is_refused_and_for_running_it_is_said(caplog):
    runner = runner_of(Layers(), caplog)
    with pytest.raises(
        ValueError, match=r"'batch' needs a model with batch norm, got LayerNorm in"
    ):
        NormStatisticsHook("batch").before_run(runner)
    NormStatisticsHook("running").before_run(runner)
    assert "running statistics in test (no batch norm, LayerNorm in Layers)" in caplog.text


def test_the_log_says_what_was_chosen(caplog):
    NormStatisticsHook("batch", when=("val", "test")).before_run(
        runner_of(nn.Sequential(nn.BatchNorm2d(2)), caplog)
    )
    assert "batch statistics in val and test (1 batch norms)" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"statistics": "tt"}, "statistics must be one of running, batch, target, mixed, entropy"),
        ({"statistics": "batch", "when": "test"}, "when must be some of"),
        ({"statistics": "batch", "when": ("train",)}, "when must be some of"),
        ({"statistics": "batch", "when": ()}, "when must be some of"),
        ({"statistics": "mixed", "prior_count": -1}, "prior_count must be >= 0, got -1"),
        ({"statistics": "mixed", "prior_count": float("nan")}, "prior_count must be >= 0, got nan"),
        ({"statistics": "target", "batch_size": 0}, "batch_size must be >= 1, got 0"),
        ({"statistics": "entropy", "steps": 0}, "steps must be >= 1, got 0"),
        ({"statistics": "batch", "prior_count": 4}, "'batch' takes no option, got prior_count"),
        ({"statistics": "target", "steps": 2}, "takes dataloader, batch_size, got steps"),
    ],
)
def test_options_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NormStatisticsHook(**settings)


def test_a_test_that_an_error_cuts_short_leaves_nothing_for_the_next_run(tmp_path, monkeypatch):
    """Neither a validation nor a training, though the statistics are for tests alone."""
    runner = build(norm_config(tmp_path, [choice(statistics="batch")]))
    monkeypatch.setattr(runner.model, "test_step", lambda data: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        runner.test()
    assert any("forward" in vars(module) for module in runner.model.modules())
    monkeypatch.undo()
    runner.val()
    assert not any("forward" in vars(module) for module in runner.model.modules())


def test_images_of_the_target_are_collated_as_those_that_are_tested(tmp_path):
    """Images of several sizes cannot be stacked: MMEngine's default leaves them a list."""
    seen = []

    class Watch(NormStatisticsHook):
        def _target_loader(self, runner, tested):
            seen.append((super()._target_loader(runner, tested), tested))
            return seen[-1][0]

    cfg = norm_config(tmp_path, [])
    cfg.test_dataloader.collate_fn = {"type": "pseudo_collate"}
    runner = build(cfg)
    other = {"dataset": {"type": "TwoLooks", "length": 3}}
    runner.register_hook(Watch("target", dataloader=other), priority="LOW")
    runner.test()
    ours, tested = seen[0]
    assert ours.collate_fn.func is tested.collate_fn.func
    assert isinstance(next(iter(ours))["inputs"], list)
