"""See before any training that what comes after it can be done."""

import copy
from pathlib import Path

from mmpretrain.registry import HOOKS

from mammography.apis.config import UsageError
from mammography.apis.data_sets import annotation_file
from mammography.apis.domain_study.study import Study
from mammography.structures.annotation import read_annotations
from mammography.terms import TaskKind


def check_hooks(study: Study) -> None:
    """Build every hook once: a wrong argument shows now, not after the trainings.

    Raises:
        UsageError: If one cannot be built.
    """
    for name, hooks in study.statistics.items():
        for told in hooks:
            try:
                HOOKS.build(copy.deepcopy(dict(told.hook)))
            except (ValueError, TypeError, KeyError) as error:
                raise UsageError(f"{study.path.name}: statistics.{name}: {error}") from error


def check_targets(study: Study) -> None:
    """Look into the test files of the targets, and for the images that adapt a model.

    Raises:
        UsageError: If a file is absent, or does not hold the task.
    """
    adapts = any(hook.images == "adapt" for hooks in study.statistics.values() for hook in hooks)
    for name in study.targets:
        domain = study.domains[name]
        for role in ("test", "adapt") if adapts else ("test",):
            path = annotation_file({"data_root": domain.data_root, **domain.files[role]})
            if not path.is_file():
                raise UsageError(f"{study.path.name}: domains.{name}: {path} does not exist")
            if role == "test":
                _check_task(path, study.outcome.task)


def _check_task(path: Path, name: str) -> None:
    tasks = read_annotations(path).tasks
    if name not in tasks or tasks[name].kind is not TaskKind.BINARY:
        binary = [task.name for task in tasks.values() if task.kind is TaskKind.BINARY]
        raise UsageError(
            f"{path}: must have the binary task {name}, got {', '.join(binary) or 'none'}"
        )
