"""A run in three stages, alone and in each of two processes."""

import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # a new process imports this module before it runs

from mmengine.config import Config  # noqa: E402
from mmpretrain.utils import get_ori_model  # noqa: E402

import mammography.engine.hooks.staged_training_hook  # noqa: E402
import mammography.engine.optimizers.cpu_amp_optim_wrapper  # noqa: E402, F401
from mammography.engine.portable_runner import PortableRunner  # noqa: E402
from small_study import small_config  # noqa: E402

STAGES = [
    {"epochs": 1, "trainable": ["heads"], "lr": 0.1, "weight_decay": 0.5},
    {"epochs": 2, "trainable": [r"body\.1", "heads"], "lr": 0.05},
    {"epochs": 1, "trainable": [".*"], "lr": 0.01, "weight_decay": 0.0},
]


def staged_config(folder: Path, stages: object = STAGES, **changes: object) -> Config:
    """Return a config of three stages of 4, 8 and 4 steps; ``changes`` by dotted names."""
    cfg = small_config(folder, epochs=4)
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None, param_scheduler=[])
    cfg.custom_hooks = [{"type": "StagedTrainingHook", "stages": stages}]
    cfg.default_hooks.checkpoint.by_epoch = False
    cfg.merge_from_dict(changes)
    return cfg


def train_staged(folder: Path, launcher: str = "none") -> dict:
    """Train in stages, with six images a step over all processes; return the weights."""
    cfg = staged_config(folder, launcher=launcher, **{"model.drop": 0})
    cfg.custom_hooks[0].norm_statistics = "freeze"
    cfg.train_dataloader.batch_size = 6 if launcher == "none" else 3
    cfg.train_dataloader.dataset.length = 24
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    parallel = getattr(runner.model, "_get_ddp_logging_data", dict)()
    return {
        "weights": dict(get_ori_model(runner.model).state_dict()),
        "steps": runner.iter,
        "reduced_tensors": parallel.get("num_parameter_tensors"),
    }
