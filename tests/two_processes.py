"""What each of two processes does in the tests of training and evaluation."""

import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # a new process imports this module before it runs

from mammography.engine.hooks.average_norm_statistics_hook import (  # noqa: E402
    AverageNormStatisticsHook,
)
from mammography.engine.portable_runner import PortableRunner  # noqa: E402
from mammography.evaluation.metrics import dump_features, dump_predictions  # noqa: E402, F401
from small_study import small_config  # noqa: E402


def train_with_norm(folder: Path) -> dict:
    """Train a model with SyncBN; return its statistics before and after averaging."""
    cfg = small_config(folder, epochs=1, **{"model.norm": "SyncBN", "launcher": "pytorch"})
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    cfg.custom_hooks = [{"type": "EMAHook", "momentum": 0.5}]
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    norm = runner.model.module.body[1]
    before = norm.running_mean.clone()
    AverageNormStatisticsHook().after_train_epoch(runner)
    average = next(hook.ema_model for hook in runner.hooks if hasattr(hook, "ema_model"))
    return {
        "norm": type(norm).__name__,
        "before": before,
        "after": norm.running_mean,
        "of_average": average.module.body[1].running_mean,
        "weights": list(runner.model.parameters()),
    }


def evaluate(folder: Path, launcher: str = "none") -> dict:
    """Evaluate seven images in batches of two, write the dumps, return the metrics."""
    cfg = small_config(folder, launcher=launcher, **{"test_dataloader.batch_size": 2})
    cfg.test_evaluator = [
        {"type": "MultiTaskMetric"},
        {"type": "DumpPredictions", "out_file": str(folder / "predictions.json")},
        {"type": "DumpFeatures", "out_file": str(folder / "features.npz")},
    ]
    runner = PortableRunner.from_cfg(cfg)
    metrics = runner.test()
    return {"metrics": metrics, "details": getattr(runner.test_evaluator.metrics[0], "details", {})}


def train_and_evaluate(folder: Path) -> dict:
    """Do both; starting a process costs more than either."""
    return {
        "training": train_with_norm(folder / "training"),
        "evaluation": evaluate(folder / "evaluation", launcher="pytorch"),
    }
