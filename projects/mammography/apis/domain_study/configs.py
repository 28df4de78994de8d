"""The configs of trainings and cells: a model's own, with what the study says."""

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError, load_config, merge_options
from mammography.apis.data_sets import annotation_file, data_sets
from mammography.apis.domain_study.data import (
    adaptation_images,
    fill_test,
    fill_training,
    insert_transforms,
)
from mammography.apis.domain_study.study import Model, Source, StatisticsHook, Study

_ONLY_TRAINING = (
    *("train_dataloader", "train_cfg", "optim_wrapper", "param_scheduler"),
    *("val_dataloader", "val_cfg", "val_evaluator", "load_from"),
)
_ONLY_TEST = ("test_dataloader", "test_cfg", "test_evaluator")
# A test does not start from other weights, and the study says which statistics it uses.
_NOT_IN_TESTS = {"LoadPretrainedHook", "NormStatisticsHook"}


def model_config(study: Study, model: Model, input_name: str) -> Config:
    """Return the config of a model with all options and transforms, hospitals still to come.

    Raises:
        UsageError: If an option has no effect, or the config lacks what the study needs.
    """
    cfg = load_config(model.config)
    for place, options in (
        ("options", study.options),
        (f"inputs.{input_name}.options", study.inputs[input_name].options),
        (f"models.{model.name}.options", model.options),
    ):
        _merge(cfg, options, f"{study.path.name}: {place}")
    place = f"{study.path.name}: models.{model.name}"
    needed = ("test_dataloader", *(() if model.checkpoint else ("train_dataloader",)))
    if absent := [name for name in needed if cfg.get(name) is None]:
        raise UsageError(f"{place}: the config must have a {absent[0]}")
    metrics = cfg.get("test_evaluator") or []
    metrics = metrics if isinstance(metrics, list | tuple) else [metrics]
    if not any(metric["type"] == "MultiTaskMetric" for metric in metrics):
        raise UsageError(f"{place}: the config must have a MultiTaskMetric in test_evaluator")
    with_place = f"{study.path.name}: inputs.{input_name}"
    _at(with_place, insert_transforms, cfg, study.inputs[input_name].transforms)
    cfg.custom_hooks = list(cfg.get("custom_hooks") or [])
    return cfg


def training_config(
    study: Study, model: Model, source: Source, seed: int | None, cfg: Config
) -> Config:
    """Return the config of one training.

    Args:
        study: The study.
        model: What to train.
        source: Hospitals to train on.
        seed: Of the training.
        cfg: Config of the model; stays as it is.

    Raises:
        UsageError: If data sets and hospitals do not fit, or an annotation file is absent.
    """
    cfg = copy.deepcopy(cfg)
    sources = [study.domains[name] for name in source]
    adapt_to = study.domains[model.adapt_to] if model.adapt_to else None
    place = f"{study.path.name}: models.{model.name}"
    _at(place, fill_training, cfg, sources, adapt_to)
    cfg.setdefault("randomness", {})
    cfg.randomness.seed = seed
    cfg.update(dict.fromkeys(_ONLY_TEST))
    for loader in (cfg.train_dataloader, cfg.get("val_dataloader")):
        for leaf in data_sets(loader.dataset) if loader else ():
            if not annotation_file(leaf).is_file():
                raise UsageError(f"{place}: {annotation_file(leaf)} does not exist")
    return cfg


def evaluation_config(
    study: Study, model: Model, target: str, statistics: str, cfg: Config
) -> Config:
    """Return the config of one cell.

    Args:
        study: The study.
        model: What to test.
        target: Hospital to test on.
        statistics: Name of the statistics to test with.
        cfg: Config of the model; stays as it is.

    Raises:
        UsageError: If an option has no effect, or a data set has no annotation file.
    """
    cfg, place = copy.deepcopy(cfg), study.path.name
    for unused in _ONLY_TRAINING:
        cfg.pop(unused, None)
    hooks = study.statistics[statistics]
    for hook in hooks:
        _merge(cfg, hook.options, f"{place}: statistics.{statistics}.options")
    _at(f"{place}: models.{model.name}", fill_test, cfg, study.domains[target])
    made = [_hook(study, cfg, target, hook) for hook in hooks]
    replaced = _NOT_IN_TESTS | {hook["type"] for hook in made}
    cfg.custom_hooks = [
        *(hook for hook in cfg.custom_hooks if hook["type"] not in replaced),
        *made,
    ]
    return cfg


def _hook(study: Study, cfg: Config, target: str, told: StatisticsHook) -> dict[str, Any]:
    hook = copy.deepcopy(dict(told.hook))
    if told.images == "adapt":
        hook["dataloader"] = adaptation_images(cfg, study.domains[target])
    return hook


def _merge(cfg: Config, options: Mapping[str, Any], place: str) -> None:
    """Change a config, one option after the other: a later one wins, also inside an earlier one."""
    for name, value in options.items():
        try:
            merge_options(cfg, {name: copy.deepcopy(value)})
        except UsageError as error:
            raise UsageError(str(error).replace("--cfg-options", place, 1)) from error


def _at(place: str, function: Any, *arguments: Any) -> Any:
    """Call a function; an error begins with the place."""
    try:
        return function(*arguments)
    except UsageError as error:
        raise UsageError(f"{place}: {error}") from error
