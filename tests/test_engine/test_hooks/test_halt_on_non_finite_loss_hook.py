from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook

import mammography.engine.optimizers.cpu_amp_optim_wrapper  # noqa: F401
from mammography.engine.hooks.halt_on_non_finite_loss_hook import HaltOnNonFiniteLossHook
from mammography.engine.portable_runner import PortableRunner
from small_study import small_config


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_diverged_training_stops_before_it_saves_and_names_step_loss_and_images(tmp_path, broken):
    cfg = small_config(tmp_path, **{"train_dataloader.batch_size": 2})
    cfg.default_hooks.checkpoint.update(by_epoch=False)
    runner = PortableRunner.from_cfg(cfg)
    forward = runner.model.forward

    def diverge(inputs, data_samples, mode):
        out = forward(inputs, data_samples, mode)
        return {"loss": out["loss"] * broken} if runner.iter == 1 else out

    runner.model.forward = diverge
    with pytest.raises(FloatingPointError, match=r"iteration 2 of epoch 1.*images/\d+\.png, ") as e:
        runner.train()
    assert f"loss={broken}" in str(e.value)
    assert [path.name for path in tmp_path.glob("*.pth")] == ["iter_1.pth"]


def test_only_losses_are_looked_at():
    outputs = {"loss": torch.tensor(1.0, requires_grad=True), "r2": float("nan")}
    HaltOnNonFiniteLossHook().after_train_iter(None, 0, {}, outputs)


def diverging(folder, optimizer, rate, **changes):
    """One cycle over the whole run, up to a rate that no weight survives."""
    cfg = small_config(folder, **changes)
    cfg.optim_wrapper = {"type": "CpuAmpOptimWrapper", "optimizer": {"type": optimizer, "lr": rate}}
    cfg.param_scheduler = {"type": "OneCycleLR", "eta_max": rate, "by_epoch": False}
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    return PortableRunner.from_cfg(cfg)


def test_one_cycle_in_bfloat16_that_diverges_stops_with_rate_and_images(tmp_path):
    runner = diverging(tmp_path, "SGD", 1e38, epochs=4)
    with pytest.raises(
        FloatingPointError, match=r"got loss=(nan|inf) .*at learning rate \S+ of at most 1e\+38: "
    ) as error:
        runner.train()
    assert "images/" in str(error.value)
    assert runner.param_schedulers[0].total_steps == 16  # filled in: four epochs of four steps


def test_weights_that_the_last_step_broke_are_not_saved(tmp_path):
    runner = diverging(tmp_path, "SGD", 1e-3, epochs=1)

    class BreakWeights(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter == 3:
                with torch.no_grad():
                    runner.model.heads.weight[0, 0] = float("nan")

    runner.register_hook(BreakWeights())
    with pytest.raises(FloatingPointError, match=r"got others in heads\.weight at iteration 4"):
        runner.train()
    assert not list(tmp_path.glob("*.pth"))


@pytest.mark.parametrize(
    ("optimizer", "rate", "warned"),
    [("Adam", 0.1, True), ("AdamW", 0.1, True), ("AdamW", 1e-3, False), ("SGD", 0.1, False)],
)
def test_a_peak_that_adam_does_not_survive_is_warned_of_before_the_first_step(
    tmp_path, caplog, optimizer, rate, warned
):
    runner = diverging(tmp_path, optimizer, rate, epochs=1)
    runner.logger.addHandler(caplog.handler)
    runner.train()
    assert (f"the learning rate of {optimizer} reaches 0.1" in caplog.text) is warned


def test_float16_is_named_where_it_may_be_the_cause():
    wrapper = SimpleNamespace(loss_scaler=None, optimizer=None)
    runner = SimpleNamespace(iter=0, epoch=0, optim_wrapper=wrapper)
    outputs = {"loss": torch.tensor(float("nan"))}
    with pytest.raises(FloatingPointError, match="train in bfloat16"):
        HaltOnNonFiniteLossHook().after_train_iter(runner, 0, {}, outputs)
    wrapper.cast_dtype = torch.bfloat16
    with pytest.raises(FloatingPointError, match="clip the gradients, or look"):
        HaltOnNonFiniteLossHook().after_train_iter(runner, 0, {}, outputs)
