"""Test a checkpoint."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process

from mammography.apis.config import UsageError, check_checkpoint, load_config, merge_options
from mammography.apis.data_sets import annotation_file, data_sets
from mammography.apis.outputs import nest_metrics, versions, write_metrics
from mammography.apis.runner import build_runner, process_group
from mammography.apis.training import report_run

OUT_SUFFIXES = {
    "metrics": (".json",),
    "pred": (".json", ".pkl", ".pickle"),
    "feature": (".npz", ".pkl", ".pickle"),
}
# Which images a data set holds, whatever is done with them.
_SELECTION = ("ann_file", "data_root", "data_prefix", "filter_cfg", "indices")
_DUMPS = {"pred": "DumpPredictions", "feature": "DumpFeatures"}


def evaluate(
    config: str | Path,
    checkpoint: str,
    *,
    work_dir: str | None = None,
    out: str | None = None,
    out_item: str | None = None,
    split: str = "test",
    tta: bool = False,
    mc_dropout: int = 0,
    ensemble: Sequence[str] = (),
    amp: bool = False,
    show_dir: str | None = None,
    interval: int = 1,
    pin_memory: bool = True,
    report: bool = True,
    cfg_options: Mapping[str, Any] | None = None,
    launcher: str = "none",
) -> dict[str, dict[str, Any]]:
    """Test a checkpoint and write ``<split>/metrics.json`` and ``<split>/predictions.json``.

    Args:
        config: The config file.
        checkpoint: Weights that match the model of the config exactly.
        work_dir: Folder of the run; ``work_dirs/<config name>`` by default.
        out: One more file to write.
        out_item: What it holds: ``metrics``, ``pred`` (default) or ``feature``.
        split: Which annotation of the config to test on: ``test``, ``val`` or ``train``;
            always through the test pipeline.
        tta: Average over augmented versions of each image: the ``tta_pipeline`` of the
            config, or the image and its mirror image.
        mc_dropout: Average over so many draws of the dropout, and write the parts of the
            uncertainty; 0 leaves dropout off.
        ensemble: Checkpoints of the same model to average with, the same way.
        amp: Mixed precision.
        show_dir: Folder for pictures of the images with what the model said.
        interval: Draw every n-th image only.
        pin_memory: Pin memory, on a GPU.
        report: Write ``report.html``, after a test on the test split.
        cfg_options: Changes by dotted names; they win over the arguments above.
        launcher: What started the processes.

    Returns:
        Metrics by task.

    Raises:
        UsageError: If what is asked for cannot be done.
    """
    item = _check_out(out, out_item)
    cfg = load_config(config, cfg_options)
    if cfg.get("test_dataloader") is None:
        raise UsageError(f"{config} has no test_dataloader: there is nothing to test")
    run_dir = Path(work_dir or cfg.work_dir)
    folder = run_dir / split
    cfg.update(launcher=launcher, work_dir=str(folder), resume=False)
    cfg.load_from = check_checkpoint(checkpoint, str(run_dir))
    if amp:
        cfg.test_cfg.fp16 = True
    if not pin_memory:
        cfg.test_dataloader.pin_memory = False
    merge_options(cfg, cfg_options)
    _choose_split(cfg, split)  # after the options, which may name the files of all splits

    info = _describe(cfg, Path(config), split, tta)
    weights = _weight_samples(mc_dropout, [check_checkpoint(p, str(run_dir)) for p in ensemble])
    info |= weights
    _keep_only_testing(cfg)
    _add_dumps(cfg, folder, info, {item: out} if out else {})
    if show_dir:
        hook = {"type": "PredictionPicturesHook", "out_dir": show_dir, "interval": interval}
        cfg.custom_hooks = [*cfg.custom_hooks, hook]
    _add_averaging(cfg, tta, weights)
    files = [folder / "metrics.json", *([Path(out)] if out and item == "metrics" else [])]
    with process_group():
        tasks = _run(cfg, info, files)
        if report and split == "test":
            report_run(run_dir, info["data_root"])
    return tasks


def _run(cfg: Config, info: dict[str, Any], files: list[Path]) -> dict[str, dict[str, Any]]:
    """Test, and write the metrics by task."""
    runner = build_runner(cfg)
    flat = runner.test()
    details: dict[str, dict[str, Any]] = {}
    for metric in runner.test_evaluator.metrics:
        for name, row in getattr(metric, "details", {}).items():
            details.setdefault(name, {}).update(row)
    tasks = nest_metrics(flat, details)
    if is_main_process():
        for path in files:
            write_metrics(path, tasks, info)
        runner.logger.info(f"Results: {cfg.work_dir}")
    return tasks


def _check_out(out: str | None, item: str | None) -> str:
    """Return what ``out`` shall hold."""
    if item and not out:
        raise UsageError(f"--out-item {item}: name the file with --out FILE")
    item = item or "pred"
    suffixes = OUT_SUFFIXES[item]
    if out and Path(out).suffix not in suffixes:
        raise UsageError(f"--out: a file of {item} must end in {', '.join(suffixes)}, got {out}")
    return item


def _choose_split(cfg: Config, split: str) -> None:
    """Point the test loader at the annotation of another split."""
    if split == "test":
        return
    other = (cfg.get(f"{split}_dataloader") or {}).get("dataset", {})
    if "ann_file" not in other:
        raise UsageError(f"--split {split}: the config has no {split}_dataloader.dataset.ann_file")
    for name in _SELECTION:
        cfg.test_dataloader.dataset.pop(name, None)
        if name in other:
            cfg.test_dataloader.dataset[name] = other[name]


def _describe(cfg: Config, config: Path, split: str, tta: bool) -> dict[str, Any]:
    """Say where the results come from."""
    data = cfg.test_dataloader.dataset
    weights, run_dir = Path(cfg.load_from), Path(cfg.work_dir).parent
    inside = weights.resolve().is_relative_to(run_dir.resolve())
    return {
        "config": config.name,
        "checkpoint": weights.name if inside else str(cfg.load_from),
        "split": split,
        "ann_file": data.get("ann_file"),
        "data_root": data.get("data_root"),
        "trained_on": _training_files(cfg),
        "tta": tta,
        "amp": bool(cfg.test_cfg.get("fp16", False)),
        "versions": versions(),
        **_clinical_variables(cfg),
    }


def _clinical_variables(cfg: Config) -> dict[str, list[str]]:
    """Name what the network is given beside images: a fusion must not take it for their merit."""
    given = cfg.model.get("clinical") or {}
    names = [name for kind in ("numbers", "categories") for name in given.get(kind) or ()]
    return {"clinic_vars": names} if names else {}


def _training_files(cfg: Config) -> list[str]:
    """Name the annotations that the config trains on: whose images are no test of the weights."""
    loader = cfg.get("train_dataloader")
    leaves = data_sets(loader.dataset) if loader else ()
    return sorted({annotation_file(leaf).as_posix() for leaf in leaves})


def _keep_only_testing(cfg: Config) -> None:
    """Drop what a test does not need: it runs without the training images."""
    for name in ("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler"):
        cfg[name] = None
    cfg.update(val_dataloader=None, val_cfg=None, val_evaluator=None)
    # A checkpoint holds the averaged weights in place of the trained ones. The hook would
    # swap them for a copy of the model it was given, of random weights with --tta.
    hooks = cfg.get("custom_hooks") or []
    cfg.custom_hooks = [hook for hook in hooks if hook["type"] != "EMAHook"]


def _add_dumps(cfg: Config, folder: Path, info: dict[str, Any], outs: dict[str, str]) -> None:
    """Let the evaluator write predictions, and what was asked for."""
    metrics = cfg.test_evaluator
    metrics = list(metrics) if isinstance(metrics, list | tuple) else [metrics]
    ours = [metric for metric in metrics if metric["type"] == "MultiTaskMetric"]
    wanted = {item: out for item, out in outs.items() if item in _DUMPS}
    if not ours and wanted:
        raise UsageError("--out: predictions and features need a MultiTaskMetric in test_evaluator")
    shared = {"data_root": info["data_root"], "tasks": ours[0].get("tasks") if ours else None}
    files = [("pred", str(folder / "predictions.json"))] if ours else []
    for item, path in [*files, *wanted.items()]:
        metrics.append({"type": _DUMPS[item], "out_file": path, "info": info, **shared})
    cfg.test_evaluator = metrics


def _add_tta(cfg: Config) -> None:
    """Put the averaging model around the model, and several versions into the pipeline."""
    pipeline = cfg.test_dataloader.dataset.get("pipeline")
    if pipeline is None:
        raise UsageError("--tta: test_dataloader.dataset must have the pipeline, not one inside it")
    if cfg.get("tta_pipeline") is None:
        flips = [{"type": "RandomFlip", "prob": prob} for prob in (0.0, 1.0)]
        both = {"type": "TestTimeAug", "transforms": [flips, [copy.deepcopy(pipeline[-1])]]}
        cfg.tta_pipeline = [*pipeline[:-1], both]
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    wrapper = cfg.get("tta_model") or {"type": "MultiTaskTTAModel"}
    cfg.model = ConfigDict(**wrapper, module=cfg.model)


def _weight_samples(passes: int, members: list[str]) -> dict[str, Any]:
    """Say which sets of weights are averaged; nothing if it is one."""
    if passes < 0:
        raise UsageError(f"--mc-dropout: must be a number of passes, got {passes}")
    return {"mc_dropout": passes, "ensemble": members} if passes or members else {}


def _add_averaging(cfg: Config, tta: bool, weights: dict[str, Any]) -> None:
    """Put around the model what averages over versions of an image or over weights."""
    if tta:
        _add_tta(cfg)
    if not weights:
        return
    if any(hook["type"] == "NormStatisticsHook" for hook in cfg.get("custom_hooks") or []):
        raise UsageError(
            "--mc-dropout, --ensemble: batch norms whose statistics NormStatisticsHook changes are "
            "those of one network: leave the hook out of custom_hooks"
        )
    if tta and cfg.get("tta_model"):
        raise UsageError(
            "--tta: with --mc-dropout or --ensemble versions are averaged as MultiTaskTTAModel "
            "does: leave tta_model out of the config"
        )
    cfg.model = ConfigDict(
        type="WeightSamplesModel",
        module=cfg.model.module if tta else cfg.model,
        passes=weights["mc_dropout"],
        members=weights["ensemble"],
        augmented=tta,
    )
