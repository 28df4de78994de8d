"""Fit a config to the machine and build what runs it."""

import copy
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mammography.apis.console import import_plugin

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")


def build_runner(cfg: Config) -> Runner:
    """Build the runner of a config, on this machine.

    Memory is pinned only for a GPU and workers stay only where there are some. Without
    a GPU, mixed precision is bfloat16. The log says what was changed.

    Args:
        cfg: Config of :func:`mammography.apis.config.load_config`; stays as it is.
    """
    import_plugin()
    from mammography.engine.portable_runner import PortableRunner

    cfg = copy.deepcopy(cfg)
    for name in LOADERS:
        if cfg.get(name) is not None:
            _fit_loader(cfg[name])
    notes = _fit_mixed_precision(cfg)
    runner = RUNNERS.build(cfg) if "runner_type" in cfg else PortableRunner.from_cfg(cfg)
    for note in notes:
        runner.logger.info(note)
    return runner


def _fit_loader(loader: dict[str, Any]) -> None:
    """Fill in what follows from the machine and the number of workers."""
    loader.setdefault("collate_fn", {"type": "default_collate"})
    loader["pin_memory"] = loader.get("pin_memory", True) and torch.cuda.is_available()
    if loader.setdefault("num_workers", 0) == 0:
        loader["persistent_workers"] = False
        loader.pop("prefetch_factor", None)
    else:
        loader.setdefault("persistent_workers", True)


def _fit_mixed_precision(cfg: Config) -> list[str]:
    """Put the optimizer wrapper for CPUs in the place of the one for GPUs."""
    wrapper = cfg.get("optim_wrapper")
    if torch.cuda.is_available() or not wrapper or wrapper.get("type") != "AmpOptimWrapper":
        return []
    wrapper.type = "CpuAmpOptimWrapper"
    for name in ("loss_scale", "dtype", "use_fsdp"):
        wrapper.pop(name, None)
    return ["There is no GPU: mixed precision is bfloat16 on the CPU, without loss scaling."]
