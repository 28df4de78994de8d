import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import CheckpointLoader

import mammography.engine.checkpoint_classes  # noqa: F401
from mammography.engine.portable_runner import PortableRunner
from small_study import small_config


class RememberHook(Hook):
    def before_save_checkpoint(self, runner, checkpoint):
        checkpoint["arrays"] = [np.zeros(2, code) for code in ("f4", "f8", "i4", "i8", "u1", "?")]


def test_a_checkpoint_with_a_one_cycle_schedule_and_arrays_is_read_as_weights_only(
    tmp_path, monkeypatch
):
    cfg = small_config(tmp_path, epochs=1, val_cfg=None)
    cfg.update(val_dataloader=None, val_evaluator=None)
    cfg.param_scheduler = {
        "type": "OneCycleLR",
        "eta_max": 0.1,
        "total_steps": 4,
        "by_epoch": False,
    }
    runner = PortableRunner.from_cfg(cfg)
    runner.register_hook(RememberHook())
    runner.train()
    load, seen = torch.load, []
    monkeypatch.setattr(torch, "load", lambda *a, **k: seen.append(k) or load(*a, **k))
    checkpoint = CheckpointLoader.load_checkpoint(str(tmp_path / "epoch_1.pth"))
    assert checkpoint["meta"]["iter"] == 4
    assert [call["weights_only"] for call in seen] == [True]
