"""Train a config."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import MMLogger

from mammography.apis.config import UsageError, check_checkpoint, load_config, merge_options
from mammography.apis.runner import LOADERS, build_runner, process_group


def train(
    config: str | Path,
    *,
    work_dir: str | None = None,
    resume: str | None = None,
    amp: bool = False,
    validate: bool = True,
    auto_scale_lr: bool = False,
    pin_memory: bool = True,
    persistent_workers: bool = True,
    tensorboard: bool = False,
    seed: int | None = None,
    deterministic: bool = False,
    report: bool = True,
    cfg_options: Mapping[str, Any] | None = None,
    launcher: str = "none",
) -> Path:
    """Train a config, and write the report of the run.

    Args:
        config: The config file.
        work_dir: Folder of the run; ``work_dirs/<config name>`` by default.
        resume: Checkpoint to continue from; ``auto`` for the last one of the run, when
            there is one.
        amp: Mixed precision.
        validate: Whether to validate during training.
        auto_scale_lr: Scale the learning rate with the batch size over all processes.
        pin_memory: Pin memory, on a GPU.
        persistent_workers: Keep the workers of the data loaders between epochs.
        tensorboard: Write curves for TensorBoard as well.
        seed: Seed of the run, instead of the one of the config.
        deterministic: Choose algorithms that give the same numbers on a GPU each time.
        report: Write ``report.html``.
        cfg_options: Changes by dotted names; they win over the arguments above.
        launcher: What started the processes.

    Returns:
        The folder of the run.

    Raises:
        UsageError: If what is asked for cannot be done.
    """
    cfg = load_config(config, cfg_options)
    cfg.launcher = launcher
    if work_dir is not None:
        cfg.work_dir = work_dir
    if amp:
        cfg.optim_wrapper.type = "AmpOptimWrapper"
    if not validate:
        cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    if auto_scale_lr:
        _scale_learning_rate(cfg)
    if tensorboard:
        _add_tensorboard(cfg)
    _set_loaders(cfg, pin_memory, persistent_workers)
    _set_randomness(cfg, seed, deterministic)
    merge_options(cfg, cfg_options)
    start = _set_start(cfg, resume)

    with process_group():
        run_dir = _run(cfg, start)
        if report:
            report_run(run_dir)
    return run_dir


def _run(cfg: Config, start: str) -> Path:
    runner = build_runner(cfg)
    runner.logger.info(start)
    runner.train()
    return Path(runner.work_dir)


def report_run(run_dir: Path, data_root: str | None = None) -> None:
    """Write the report of a run; a run is not lost when that fails."""
    if not is_main_process():
        return
    logger = MMLogger.get_current_instance()
    try:
        from mammography.reports.run_report import write_run_report  # draws: slow to import

        page = write_run_report(run_dir, data_root=Path(data_root) if data_root else None)
    except Exception:
        logger.exception(f"The report failed; the run is complete: tools/report.py {run_dir}")
    else:
        logger.info(f"Report: {page}")


def find_checkpoint(work_dir: str) -> str | None:
    """Return the last checkpoint of a run, also when its folder was moved."""
    note = Path(work_dir) / "last_checkpoint"
    if not note.is_file():
        return None
    if not (text := note.read_text().strip()):  # the run was killed while it wrote the note
        saved = note.parent.glob("[ei]*_*.pth")  # epoch_4.pth, iter_900.pth
        newest = max(saved, key=lambda path: path.stat().st_mtime, default=None)
        return str(newest) if newest else None
    written = Path(text)
    return str(written if written.is_file() else note.with_name(written.name))


def _set_start(cfg: Config, resume: str | None) -> str:
    """Decide what the run starts from; return it in words."""
    if resume is None and cfg.get("resume"):
        resume = cfg.get("load_from") or "auto"
    if resume == "auto":
        resume = find_checkpoint(cfg.work_dir)
        if resume is None:
            return f"There is no checkpoint in {cfg.work_dir} yet: the run starts at the beginning."
    if resume is not None:
        cfg.update(resume=True, load_from=check_checkpoint(resume, cfg.work_dir))
        return f"The run continues from {resume}."
    if cfg.get("load_from"):
        check_checkpoint(cfg.load_from, cfg.work_dir)
        return f"The run starts from the weights of {cfg.load_from}."
    return "The run starts at the beginning."


def _scale_learning_rate(cfg: Config) -> None:
    if not (cfg.get("auto_scale_lr") or {}).get("base_batch_size"):
        raise UsageError(
            "--auto-scale-lr: the config must say which batch size its learning rate is for: "
            "auto_scale_lr = dict(base_batch_size=256)"
        )
    cfg.auto_scale_lr.enable = True


def _add_tensorboard(cfg: Config) -> None:
    if cfg.get("visualizer") is None:
        cfg.visualizer = {"type": "Visualizer", "vis_backends": [{"type": "LocalVisBackend"}]}
    backends = list(cfg.visualizer.get("vis_backends") or ())
    if not any(backend["type"] == "TensorboardVisBackend" for backend in backends):
        backends.append({"type": "TensorboardVisBackend"})
    cfg.visualizer.vis_backends = backends


def _set_loaders(cfg: Config, pin_memory: bool, persistent_workers: bool) -> None:
    for name in LOADERS:
        if cfg.get(name) is None:
            continue
        if not pin_memory:
            cfg[name].pin_memory = False
        if not persistent_workers:
            cfg[name].persistent_workers = False


def _set_randomness(cfg: Config, seed: int | None, deterministic: bool) -> None:
    cfg.setdefault("randomness", {})
    if seed is not None:
        cfg.randomness.seed = seed
    if deterministic:
        cfg.randomness.deterministic = True
        # cuBLAS reads it when it starts; torch refuses to be deterministic without.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
