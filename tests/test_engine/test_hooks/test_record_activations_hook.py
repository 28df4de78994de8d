from functools import partial

import numpy as np
import pytest
import torch

import norm_cases
from activation_cases import CountWatchers, count_watchers, generator_states, recorded_on_ranks
from mammography.engine.activation_files import remove_oldest
from mammography.engine.hooks.record_activations_hook import RecordActivationsHook
from mammography.engine.portable_runner import PortableRunner
from ranks import run_on_ranks
from small_study import small_config

PHASES = ("train", "val", "test")


def build(folder, hook=None, **changes):
    cfg = small_config(folder, **changes)
    cfg.custom_hooks = [{"type": "RecordActivationsHook", **hook}] if hook is not None else []
    return PortableRunner.from_cfg(cfg)


def files(folder):
    return sorted(path.name for path in (folder / "activations").glob("*"))


def load(folder, name):
    with np.load(folder / "activations" / name) as file:
        return dict(file)


@pytest.mark.parametrize("loop", ["ReproducibleEpochLoop", "EpochBasedTrainLoop"])
def test_training_under_watch_is_bit_by_bit_the_same(tmp_path, loop):
    """Weights, statistics, metrics and generators, with dropout and random augmentation."""
    left = []
    for name, hook in (("a", None), ("b", {"when": PHASES, "interval": 1, "gradients": True})):
        runner = build(tmp_path / name, hook, **{"train_cfg.type": loop})
        runner.train()
        optimizer = runner.optim_wrapper.optimizer.state_dict()["state"]
        moments = [value for state in optimizer.values() for value in state.values()]
        left.append((runner.model.state_dict(), moments, runner.test(), generator_states()))
    (weights, moments, *others), (watched, watched_moments, *watched_others) = left
    assert files(tmp_path / "b")
    assert all(torch.equal(weights[name], watched[name]) for name in weights)
    assert all(torch.equal(a, b) for a, b in zip(moments, watched_moments, strict=True))
    assert others == watched_others


def test_only_steps_that_are_recorded_are_watched_and_nothing_stays(tmp_path):
    runner = build(tmp_path, {"when": ["train"], "interval": 3})
    counter = CountWatchers()
    runner.register_hook(counter)
    runner.train()
    assert counter.counts == [0, 0, 1, 0, 0, 1, 0, 0]
    assert files(tmp_path) == ["train_iter_3.npz", "train_iter_6.npz"]
    assert count_watchers(runner.model) == 0


def test_a_file_tells_what_was_recorded(tmp_path):
    runner = build(tmp_path, {"when": PHASES, "interval": 4, "gradients": True})
    runner.train()
    assert files(tmp_path) == [
        f"{phase}_iter_{n}.npz" for phase in ("train", "val") for n in (4, 8)
    ]
    step, validation = load(tmp_path, "train_iter_8.npz"), load(tmp_path, "val_iter_8.npz")
    assert step["layers"].tolist() == validation["layers"].tolist() == ["body.1"]
    assert (step["phase"], step["iteration"], step["model"]) == ("train", 8, "SmallNet")
    assert step["body.1/values"].shape == step["body.1/gradient_values"].shape == (4, 3 * 36)
    assert "body.1/gradient_values" not in validation
    assert len(step["image_id"]) == len(step["domain"]) == 3
    assert set(step["domain"]) == {""}
    layer = runner.model.body[1]
    np.testing.assert_allclose(validation["body.1/running_mean"], layer.running_mean)


def test_the_first_moments_are_those_that_the_batch_norm_was_given(tmp_path):
    """In training the running averages are what came of them."""
    runner = build(tmp_path, {"when": ["train"], "interval": 1}, **{"train_cfg.max_epochs": 1})
    runner.train()
    first = load(tmp_path, "train_iter_1.npz")
    np.testing.assert_allclose(first["body.1/running_mean"], 0.1 * first["body.1/input_mean"], 1e-5)
    np.testing.assert_allclose(
        first["body.1/running_variance"], 0.9 + 0.1 * first["body.1/input_variance"], 1e-5
    )
    np.testing.assert_allclose(first["body.1/mean"], 0, atol=1e-6)  # the bias at the start


def test_a_test_records_batches_spread_over_the_set_and_where_its_weights_come_from(tmp_path):
    build(tmp_path / "a").train()
    weights = str(tmp_path / "a/epoch_2.pth")
    changes = {"test_dataloader.dataset.length": 24, "test_dataloader.batch_size": 2}
    runner = build(tmp_path / "b", {"max_images": 9}, load_from=weights, **changes)
    runner.test()
    assert files(tmp_path / "b") == ["test_iter_8.npz"]
    found = load(tmp_path / "b", "test_iter_8.npz")
    assert found["image_id"].tolist() == [f"i{n}" for n in (0, 1, 6, 7, 12, 13, 18, 19)]
    assert found["checkpoint"] == "epoch_2.pth"
    assert found["body.1/count"] == 8 * 36
    entered = runner.model.body[0]
    images = [runner.test_dataloader.dataset[n]["inputs"] for n in (0, 1, 6, 7, 12, 13, 18, 19)]
    with torch.no_grad():
        mean = entered(torch.stack(images)).double().mean((0, 2, 3))
    np.testing.assert_allclose(found["body.1/input_mean"], mean, rtol=1e-5)


def test_at_least_one_batch_is_recorded_and_a_folder_can_be_named(tmp_path):
    runner = build(tmp_path / "run", {"max_images": 1, "out_dir": str(tmp_path / "here")})
    runner.test()
    with np.load(tmp_path / "here/test_iter_0.npz") as file:
        assert file["image_id"].tolist() == ["i0", "i1", "i2", "i3"]


def test_what_another_hook_makes_the_model_do_is_not_recorded(tmp_path):
    """Re-estimation before the test, and steps on the entropy after each batch."""
    counts = {}
    for statistics in ("running", "target", "entropy"):
        hooks = [
            {"type": "NormStatisticsHook", "statistics": statistics},
            {"type": "RecordActivationsHook", "layers": ["backbone.bn1"]},
        ]
        runner = norm_cases.build(norm_cases.norm_config(tmp_path / statistics, hooks))
        runner.test()
        found = load(tmp_path / statistics, "test_iter_0.npz")
        counts[statistics] = int(found["backbone.bn1/count"])
        assert found["domain"].tolist() == ["source", "target"] * 3 + ["source"]
    image = runner.test_dataloader.dataset[0]["inputs"]
    places = runner.model.backbone.conv1(image[None])[0, 0].numel()
    assert counts == dict.fromkeys(counts, 7 * places)


class ScaledWrapper:
    """What an AmpOptimWrapper has beside the plain one."""

    def get_scale(self):
        return 8.0


@pytest.mark.parametrize("counts", [1, 2])
def test_gradients_are_those_of_the_loss_before_it_is_scaled(tmp_path, counts, monkeypatch):
    hook = {"when": ["train"], "interval": 1, "gradients": True}
    changes = {"train_cfg.max_epochs": 1, "model.drop": 0.0, "optim_wrapper.optimizer.lr": 0.0}
    build(tmp_path / "a", hook, **changes).train()
    changes["optim_wrapper.accumulative_counts"] = counts
    runner = build(tmp_path / "b", hook, **changes)
    monkeypatch.setattr(runner, "build_optim_wrapper", scaled(runner.build_optim_wrapper))
    runner.train()
    plain, scaled_ones = (load(tmp_path / name, "train_iter_3.npz") for name in "ab")
    for what in ("values", "mean", "variance"):
        name = f"body.1/gradient_{what}"
        np.testing.assert_allclose(scaled_ones[name], plain[name], rtol=1e-4, atol=1e-7)


def scaled(build_optim_wrapper):
    def built(config):
        wrapper = build_optim_wrapper(config)
        wrapper.loss_scaler = ScaledWrapper()
        backward = wrapper.backward
        wrapper.backward = lambda loss, **kwargs: backward(8.0 * loss, **kwargs)
        return wrapper

    return built


def test_the_oldest_files_go(tmp_path):
    runner = build(tmp_path, {"when": ["train"], "interval": 1, "max_files": 3})
    runner.train()
    assert files(tmp_path) == [f"train_iter_{n}.npz" for n in (6, 7, 8)]
    (tmp_path / "x_10.npz").touch()
    (tmp_path / "x_9.npz").touch()
    remove_oldest(tmp_path, "x_*.npz", keep=1)
    assert [path.name for path in tmp_path.glob("x_*")] == ["x_10.npz"]


def test_the_first_of_two_processes_records_its_images(tmp_path):
    left = run_on_ranks(partial(recorded_on_ranks, tmp_path), tmp_path)
    assert [each["watchers"] for each in left] == [0, 0]
    step = load(tmp_path / "run", "train_iter_2.npz")
    assert files(tmp_path / "run") == ["test_iter_2.npz", "train_iter_1.npz", "train_iter_2.npz"]
    assert len(step["layers"]) == 20
    assert len(step["image_id"]) == 2
    assert load(tmp_path / "run", "test_iter_2.npz")["image_id"].tolist() == [
        "i0",
        "i2",
        "i4",
        "i6",
    ]


def test_a_model_without_the_layer_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(ValueError, match=r"RecordActivationsHook: layers must .*there is body.1"):
        build(tmp_path, {"layers": ["body.11"]}).test()


def test_layers_that_take_no_part_are_said_to(tmp_path):
    runner = build(tmp_path, {"layers": ["body.9"]})
    runner.model.body.add_module("9", torch.nn.Identity())
    runner.model.body.forward = lambda inputs: runner.model.body[:4](inputs)
    with pytest.raises(
        ValueError, match="something must pass through the layers in test, got nothi"
    ):
        runner.test()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": "bn1"}, "layers must be several strings, got 'bn1'"),
        ({"layers": ["("]}, "layers must be regular expressions"),
        ({"types": "BatchNorm2d"}, "types must be several strings"),
        ({"when": ["testing"]}, r"when must be some of .* got \['testing'\]"),
        ({"gradients": True}, r"gradients need 'train' in when, got \('test',\)"),
        ({"interval": 0}, "interval must be >= 1, got 0"),
        ({"max_images": 0}, "max_images must be >= 1, got 0"),
        ({"max_values_per_channel": 1}, "max_values_per_channel must be >= 2, got 1"),
        ({"max_files": 0}, "max_files must be >= 1, got 0"),
    ],
)
def test_settings_are_checked_when_it_is_built(settings, message):
    with pytest.raises(ValueError, match=f"RecordActivationsHook: {message}"):
        RecordActivationsHook(**settings)


def test_a_compiled_training_is_refused(tmp_path):
    runner = build(tmp_path, {"when": ["train"]})
    runner.cfg.compile = True
    with pytest.raises(ValueError, match=r"must not be compiled, got cfg\.compile: drop it"):
        RecordActivationsHook(when=["train"]).before_run(runner)
