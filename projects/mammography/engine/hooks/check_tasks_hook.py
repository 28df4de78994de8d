"""Compare what a model predicts with what the data are labelled with, before it matters."""

from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model

from mammography.structures.task import Task
from mammography.terms import TaskKind

_CLASSES = {TaskKind.MULTICLASS, TaskKind.ORDINAL}


@HOOKS.register_module()
class CheckTasksHook(Hook):
    """Refuse a run whose head and data disagree about a task.

    Every task of a ``MaskedMultiTaskHead`` must be one of the training data and of the metrics,
    of the same kind and with as many classes; ordered classes may be predicted as if
    they had no order and the other way round. Otherwise a task would never learn, or be measured as
    what it is not: the published form of annotations leaves kinds to be guessed from the
    labels of each file. Tasks of the data that the head leaves out are named in the log. Models
    without such a head are not looked at.

    Raises:
        ValueError: If a task is missing or another one; names what differs and the remedy.
    """

    def before_train(self, runner: Runner) -> None:
        """Check the training data, and the metrics of the validation."""
        tasks = _tasks_of_head(runner)
        meta = getattr(runner.train_dataloader.dataset, "metainfo", {})
        if not tasks or "task_specs" not in meta:
            return
        known = {name: Task.from_json(name, spec) for name, spec in meta["task_specs"].items()}
        _check(tasks, known, "train_dataloader")
        if left := sorted(set(known) - set(tasks)):
            runner.logger.info("Labelled, but not predicted: %s", ", ".join(left))
        if runner.val_loop is not None:
            _check_metrics(tasks, runner.val_evaluator.metrics, "val_dataloader")

    def before_test(self, runner: Runner) -> None:
        """Check the metrics of the test."""
        _check_metrics(_tasks_of_head(runner), runner.test_evaluator.metrics, "test_dataloader")


def _tasks_of_head(runner: Runner) -> dict[str, Task]:
    model = get_ori_model(runner.model)
    model = getattr(model, "module", model)  # around it for test-time augmentation
    layers = getattr(getattr(model, "head", None), "layers", {})
    layers = layers if isinstance(layers, Mapping) else {}
    return {name: layer.task for name, layer in layers.items()}


def _check_metrics(tasks: Mapping[str, Task], metrics: Iterable[Any], loader: str) -> None:
    for metric in metrics:
        if hasattr(metric, "tasks_of"):
            _check(tasks, metric.tasks_of(tasks), loader)


def _check(tasks: Mapping[str, Task], known: Mapping[str, Task], loader: str) -> None:
    if missing := [name for name in tasks if name not in known]:
        raise ValueError(
            f"{loader}: the data must have every task of the head, got {', '.join(known) or 'none'}"
            f" without {', '.join(missing)}: leave it out of model.head.tasks"
        )
    for name, task in tasks.items():
        if _outputs(task) != _outputs(known[name]):
            raise ValueError(
                f"{loader}: task {name} must be of one kind in head and data, got "
                f"{_described(task)} and {_described(known[name])}: correct model.head.tasks, or "
                f"state the kind in {loader}.dataset.tasks, e.g. {_spec(task)!r}"
            )


def _outputs(task: Task) -> tuple[str, int]:
    return ("classes" if task.kind in _CLASSES else task.kind.value, task.num_classes)


def _described(task: Task) -> str:
    return f"{task.kind} of {task.num_classes} classes" if task.kind in _CLASSES else task.kind


def _spec(task: Task) -> str:
    classes = f"={','.join(task.classes)}" if task.kind in _CLASSES else ""
    return f"{task.name}:{task.kind}{classes}"
