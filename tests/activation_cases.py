"""Training and testing under watch of a recorder, and what is left of it."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from torch.distributed import is_initialized

from norm_cases import build, norm_config

import mammography.engine.hooks.record_activations_hook  # noqa: F401 isort: skip


class CountWatchers(Hook):
    """Note how many modules have a forward hook in the forward pass of each training step."""

    priority = "VERY_LOW"

    def __init__(self) -> None:
        self.counts: list[int] = []

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.counts.append(count_watchers(runner.model))


def count_watchers(model: torch.nn.Module) -> int:
    """Return how many modules have a forward hook."""
    return sum(bool(module._forward_hooks) for module in model.modules())


def generator_states() -> list[Any]:
    """Return the states of the generators, to compare."""
    return [torch.get_rng_state().tolist(), random.getstate(), str(np.random.get_state())]  # noqa: NPY002


def recorded_on_ranks(folder: Path) -> dict[str, Any]:
    """Train a step per epoch and test, recording; return weights and predictions."""
    cfg = norm_config(
        folder / "run",
        [{"type": "RecordActivationsHook", "when": ["train", "test"], "interval": 1}],
        **{"train_dataloader.batch_size": 2, "train_cfg.max_epochs": 1},
    )
    cfg.test_dataloader.batch_size = 2
    cfg.launcher = "pytorch" if is_initialized() else "none"
    runner = build(cfg)
    runner.train()
    runner.test()
    return {"watchers": count_watchers(runner.model)}
