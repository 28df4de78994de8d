"""From a study to the trainings and cells that it takes, each with its config."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.domain_study.checks import check_hooks, check_targets
from mammography.apis.domain_study.configs import (
    evaluation_config,
    model_config,
    training_config,
)
from mammography.apis.domain_study.fingerprint import digest_file, fingerprint_training
from mammography.apis.domain_study.study import Model, Source, Study


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One cell.

    Attributes:
        target: Hospital.
        statistics: Name of the statistics.
        config: What is tested.
    """

    target: str
    statistics: str
    config: Config


@dataclass(frozen=True, eq=False)
class Training:
    """One model of the study: a training with its cells.

    Attributes:
        model: What it is.
        source: Hospitals it trains on; none if it was trained elsewhere.
        input: Name of the input normalisation.
        seed: Of the training; None if it was trained elsewhere.
        config: What is trained; None if it was trained elsewhere.
        start: The training whose weights it starts from.
        root: The repository.
        evaluations: Its cells.
    """

    model: Model
    source: Source
    input: str
    seed: int | None
    config: Config | None
    start: "Training | None"
    root: Path
    evaluations: tuple[Evaluation, ...]

    @property
    def trained_on(self) -> str:
        """The hospitals in words."""
        return "+".join(self.source) or self.model.trained_on

    @cached_property
    def name(self) -> str:
        """Name of its folder: a training that would learn other weights has another one."""
        seed = "" if self.seed is None else f"seed{self.seed}"
        parts = (self.model.name, "+".join(self.source), self.input, seed, self.fingerprint[:8])
        return "-".join(filter(None, parts))

    @cached_property
    def fingerprint(self) -> str:
        """What decides its weights."""
        if self.config is None:
            return digest_file(Path(str(self.model.checkpoint)).resolve())
        start = None
        if self.start and self.model.start:
            start = [self.start.fingerprint, self.start.model.select, *self.model.start.allow]
        return fingerprint_training(self.config, self.root, start=start)

    def __str__(self) -> str:
        """Name it for people."""
        seed = "" if self.seed is None else f"seed {self.seed}"
        return ", ".join(filter(None, (self.model.name, self.trained_on, self.input, seed)))


def make_plan(study: Study) -> list[Training]:
    """Return all trainings, each after the one that it starts from.

    Raises:
        UsageError: If a config, an annotation file or a hook is not what the study needs.
    """
    configs = {
        (model.name, name): model_config(study, model, name)
        for model in study.models.values()
        for name in study.inputs
    }
    check_hooks(study)
    check_targets(study)
    plan: dict[tuple[Any, ...], Training] = {}
    for model in study.models.values():
        for key in _keys(study, model):
            _add(plan, key, study, configs, ())
    return list(plan.values())


def _keys(study: Study, model: Model) -> Iterator[tuple[Any, ...]]:
    """Yield model, source, input and seed of the trainings of a model."""
    for source in model.sources or ((),):
        for name in study.inputs:
            for seed in (None,) if model.checkpoint else study.seeds:
                yield model.name, source, name, seed


def _add(
    plan: dict[tuple[Any, ...], Training],
    key: tuple[Any, ...],
    study: Study,
    configs: Mapping[tuple[str, str], Config],
    behind: tuple[str, ...],
) -> Training:
    """Add a training, and before it the one that it starts from."""
    if key in plan:
        return plan[key]
    name, source, input_name, seed = key
    model, start = study.models[name], None
    place = f"{study.path.name}: models.{name}"
    if name in behind:
        raise UsageError(f"{place}.start: models must not start from each other in a circle")
    if model.start:
        start = _add(plan, _start_of(study, model, key), study, configs, (*behind, name))
    cfg = configs[name, input_name]
    plan[key] = Training(
        model,
        source,
        input_name,
        seed,
        None if model.checkpoint else training_config(study, model, source, seed, cfg),
        start,
        study.root,
        tuple(
            Evaluation(target, one, evaluation_config(study, model, target, one, cfg))
            for target in study.targets
            for one in model.statistics
        ),
    )
    return plan[key]


def _start_of(study: Study, model: Model, key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the training that another one starts from: of the same source, unless told."""
    _, source, input_name, seed = key
    told = model.start
    if told is None:
        raise ValueError(f"{model.name} starts from no model")
    other, source = study.models[told.model], told.source or source
    if other.checkpoint:
        return other.name, (), input_name, None
    if source not in other.sources:
        trained = ", ".join("+".join(one) for one in other.sources)
        raise UsageError(
            f"{study.path.name}: models.{model.name}.start: {other.name} must be trained on "
            f"{'+'.join(source)}, it is trained on {trained}: name the source to start from"
        )
    return other.name, source, input_name, seed
