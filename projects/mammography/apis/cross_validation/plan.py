"""From a config to the models of a cross-validation, each with a config of its own."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError, load_config, repository_of
from mammography.apis.cross_validation.cohort import Cohort, leaves_of, point_to, read_cohort
from mammography.apis.data_sets import annotation_file
from mammography.apis.domain_study.fingerprint import digest_file, fingerprint_training
from mammography.apis.folds import draw_folds
from mammography.structures.annotation import write_annotations
from mammography.structures.folds import Folds, read_folds, write_folds

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Settings:
    """How a config is cross-validated.

    Attributes:
        config: The config file.
        cfg_options: Its changes, by dotted names.
        outer: Number of outer folds.
        inner: Number of inner folds; below 2 there is one model for each outer fold.
        seed: Of the folds.
        task: Binary task to stratify and select by; the first one of the annotations if empty.
        splits: Loaders whose images are divided.
        select: ``best`` on the validation fold, or ``last``.
    """

    config: Path
    cfg_options: Mapping[str, Any] = field(default_factory=dict)
    outer: int = 5
    inner: int = 5
    seed: int = 0
    task: str = ""
    splits: Sequence[str] = SPLITS
    select: str = "best"


@dataclass(frozen=True, eq=False)
class FoldModel:
    """One training.

    Attributes:
        outer: Fold that it is tested on.
        inner: Fold that it is selected on.
        config: With the annotations of its folds.
        fingerprint: What decides its weights.
    """

    outer: int
    inner: int
    config: Config
    fingerprint: str

    @property
    def fold(self) -> str:
        """Name of its folds."""
        return fold_name(self.outer, self.inner)

    @property
    def name(self) -> str:
        """Name of its folder: a training that would learn other weights has another one."""
        return f"{self.fold}-{self.fingerprint[:8]}"


@dataclass(frozen=True, eq=False)
class Plan:
    """All that is to be done.

    Attributes:
        settings: What was asked for, the task filled in.
        folds: Of the patients.
        cohort: The images.
        models: One per outer and inner fold.
    """

    settings: Settings
    folds: Folds
    cohort: Cohort
    models: tuple[FoldModel, ...]


def fold_name(outer: int, inner: int) -> str:
    """Name a model by its folds.

    Example:
        >>> fold_name(0, 3)
        'outer0-inner3'
    """
    return f"outer{outer}-inner{inner}"


def make_plan(settings: Settings, folder: Path) -> Plan:
    """Divide the patients of a config and write folds and annotations.

    Args:
        settings: What is asked for.
        folder: Of the cross-validation; another call that works there writes the same.

    Raises:
        UsageError: If the config lacks what it takes, a fold would lack a class, or the folder
            holds other folds.
    """
    cfg = load_config(settings.config, settings.cfg_options)
    _check(cfg)
    cohort = read_cohort(cfg, settings.splits)
    task = _task(settings, cfg, cohort)
    folds = draw_folds(cohort.labels(task), task, settings.outer, settings.inner, settings.seed)
    _keep(folder / "folds.json", folds)
    for number, pool in enumerate(cohort.pools.values()):
        extra = f"-{number}" if len(cohort.pools) > 1 else ""
        write_annotations(folder / "annotations" / f"pool{extra}.json", pool)
    _select_by(cfg, task)
    models = tuple(_model(cfg, settings, cohort, folds, pair, folder) for pair in folds.models)
    return Plan(replace(settings, task=task), folds, cohort, models)


def _model(
    cfg: Config,
    settings: Settings,
    cohort: Cohort,
    folds: Folds,
    pair: tuple[int, int],
    folder: Path,
) -> FoldModel:
    """Write the annotations of a model, and return it with a config that reads them."""
    files = cohort.write(folder / "annotations" / fold_name(*pair), folds, *pair)
    own = copy.deepcopy(cfg)
    point_to(own, files)
    # Where the folder lies decides nothing: the names of the annotations do not count.
    nameless = copy.deepcopy(own)
    for split in SPLITS:
        for leaf in leaves_of(nameless, split):
            leaf["ann_file"] = ""
    contents = [
        digest_file(annotation_file(leaf).resolve())
        for split in ("train", "val")
        for leaf in leaves_of(own, split)
    ]
    key = fingerprint_training(
        nameless, repository_of(settings.config), annotations=contents, select=settings.select
    )
    return FoldModel(*pair, own, key)


def _check(cfg: Config) -> None:
    """Refuse a config that cannot be trained, selected and tested fold by fold."""
    for split in SPLITS:
        if cfg.get(f"{split}_dataloader") is None:
            raise UsageError(f"cross-validation: the config must have a {split}_dataloader")
    for split in ("val", "test"):
        if "ann_file" not in cfg[f"{split}_dataloader"].dataset:
            raise UsageError(
                f"cross-validation: {split}_dataloader.dataset must be one data set with an "
                f"ann_file, got {cfg[f'{split}_dataloader'].dataset.get('type')}"
            )
    metrics = cfg.get("test_evaluator") or []
    metrics = metrics if isinstance(metrics, list | tuple) else [metrics]
    if not any(metric["type"] == "MultiTaskMetric" for metric in metrics):
        raise UsageError("cross-validation: test_evaluator must have a MultiTaskMetric")


def _task(settings: Settings, cfg: Config, cohort: Cohort) -> str:
    """Return the binary task that decides; one that the config predicts."""
    chosen = cfg.test_dataloader.dataset.get("tasks")
    names = None if chosen is None else {str(item).partition(":")[0] for item in chosen}
    binary = [name for name in cohort.binary_tasks() if names is None or name in names]
    task = settings.task or next(iter(binary), "")
    if task not in binary:
        raise UsageError(
            "--task must be a binary task of annotations and config "
            f"({', '.join(binary) or 'none'}), got {task or 'none'}"
        )
    return task


def _select_by(cfg: Config, task: str) -> None:
    """Keep the best checkpoint on the validation fold, unless the config says which is best."""
    cfg.setdefault("default_hooks", {})
    cfg.default_hooks.setdefault("checkpoint", {"type": "CheckpointHook"})
    if not cfg.default_hooks.checkpoint.get("save_best"):
        cfg.default_hooks.checkpoint.update(save_best=f"{task}/roc_auc", rule="greater")


def _keep(path: Path, folds: Folds) -> None:
    """Write the folds, or see that they are those of an earlier call."""
    if path.is_file() and read_folds(path) != folds:
        raise UsageError(
            f"{path} holds other folds (of other patients, labels, numbers or seed): name another "
            "folder with --out, or remove this one"
        )
    write_folds(path, folds)
