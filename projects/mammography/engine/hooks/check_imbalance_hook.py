"""Warn of an imbalance that is corrected twice."""

from collections.abc import Iterator
from typing import Any

from mmengine.dataset import ClassBalancedDataset
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model

# Settings of losses that weigh classes, and the values at which they do not.
_NEUTRAL = {"pos_weight": 1.0, "class_weight": 1.0, "alpha": 0.5}


@HOOKS.register_module()
class CheckImbalanceHook(Hook):
    """Warn, once and before the first step, of classes that sampler and loss both even out.

    A sampler that shows cancers as often as healthy breasts changes the odds that a model learns
    by the ratio of the classes. A loss with ``pos_weight``, ``class_weight`` or the alpha of a
    focal loss changes them by its weight. Each alone corrects; both together call almost
    everything cancer. A comparison may want that, so it is a warning, not an error.

    Looked at are the attribute ``balances`` of the sampler or batch sampler, the
    ``ClassBalancedDataset`` of MMEngine, and the settings of the losses in the model's head.
    """

    def before_train(self, runner: Runner) -> None:
        """Compare data loader and head."""
        balanced = _balanced(runner.train_dataloader)
        for task, setting in _weighted(getattr(get_ori_model(runner.model), "head", None)):
            if task in balanced or (task is None and balanced):
                place = f"model.head.tasks.{task}" if task else "the loss of model.head"
                runner.logger.warning(
                    f"CheckImbalanceHook: the imbalance of {task or ', '.join(sorted(balanced))} "
                    f"is corrected twice, by {_name(runner.train_dataloader)} and by {setting} of "
                    f"{place}: drop one of them, or the scores are far above the probabilities "
                    "that they stand for"
                )


def _balanced(loader: Any) -> set[str]:
    """Return the labels and fields whose frequencies the loader changes."""
    found = set(getattr(_sampler(loader), "balances", ()))
    dataset = loader.dataset
    while dataset is not None:
        inner = getattr(dataset, "dataset", None)
        if isinstance(dataset, ClassBalancedDataset):
            found.add(str(getattr(inner, "balance_by", None) or "gt_label"))
        dataset = inner
    return found


def _name(loader: Any) -> str:
    sampler = _sampler(loader)
    return type(sampler).__name__ if hasattr(sampler, "balances") else "ClassBalancedDataset"


def _sampler(loader: Any) -> Any:
    """Return the sampler of a config, out of the one that numbers samples."""
    if hasattr(loader.batch_sampler, "balances"):
        return loader.batch_sampler
    sampler = loader.sampler
    return getattr(sampler, "sampler", sampler)


def _weighted(head: Any) -> Iterator[tuple[str | None, str]]:
    """Yield tasks (None: a head without tasks) and what weighs their classes."""
    layers = getattr(head, "layers", None)
    parts = layers.items() if isinstance(layers, dict) else [(None, head)]
    for task, part in parts:
        for owner in _owners(part):
            for name, neutral in _NEUTRAL.items():
                value = vars(owner).get(name) if hasattr(owner, "__dict__") else None
                if value is not None and _weighs(name, value, neutral):
                    yield task, f"{name}={value}"


def _owners(part: Any) -> Iterator[Any]:
    """Yield a layer, the modules in it, and the objects that these keep their losses in."""
    modules = list(part.modules()) if hasattr(part, "modules") else []
    for module in modules:
        yield module
        yield from (
            value
            for name, value in vars(module).items()
            if not name.startswith("_") and hasattr(value, "__dataclass_fields__")
        )


def _weighs(name: str, value: Any, neutral: float) -> bool:
    if name == "alpha" and (not isinstance(value, int | float) or value < 0):
        return False  # a focal loss without weights
    values = value if isinstance(value, list | tuple) else [value]
    return any(float(each) != neutral for each in values)
