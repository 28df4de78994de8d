"""Fit a config to the machine and build what runs it."""

import copy
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from mammography.apis.config import UsageError
from mammography.apis.console import import_plugin

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
# What a launcher sets in each process that it starts, and the script that uses it.
_STARTED_BY = {
    "pytorch": ("RANK", "tools/dist_train.sh or dist_test.sh"),
    "slurm": ("SLURM_PROCID", "tools/slurm_train.sh or slurm_test.sh"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "mpirun"),
}


def build_runner(cfg: Config) -> Runner:
    """Build the runner of a config, on this machine.

    Memory is pinned only for a GPU and workers stay only where there are some. Without
    a GPU, mixed precision is bfloat16. The log says what was changed.

    Args:
        cfg: Config of :func:`mammography.apis.config.load_config`; stays as it is.

    Raises:
        UsageError: If a launcher is named that has not started this process.
    """
    _check_launcher(cfg.get("launcher", "none"))
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


@contextmanager
def process_group() -> Iterator[None]:
    """Leave the group of processes that is joined inside, if any.

    The threads of a group of CPUs abort a process that ends while they run, and then torchrun
    stops the other processes too, the first one while it writes the report. They run as
    long as a parallel model uses the group: nothing may hold the runner at the end.
    """
    joined = dist.is_initialized()
    yield  # not left after an error: leaving may wait for processes that have not failed
    if dist.is_initialized() and not joined:
        gc.collect()  # a runner refers to itself by its hooks and loops
        dist.destroy_process_group()


def _check_launcher(launcher: str) -> None:
    """Refuse a launcher that did not say which of its processes this one is."""
    variable, script = _STARTED_BY.get(launcher, (None, ""))
    if variable and variable not in os.environ:
        raise UsageError(
            f"--launcher {launcher}: {variable} must be set by what starts the processes: "
            f"use {script}"
        )


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
