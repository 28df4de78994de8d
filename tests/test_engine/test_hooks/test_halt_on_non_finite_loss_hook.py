import pytest
import torch

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
