"""Notice images that are measured at another size than they were learned at, or not at all."""

from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

_PLACE = "CheckImagesHook"


@HOOKS.register_module()
class CheckImagesHook(Hook):
    """Warn of a validation at another image size than training; refuse one that drops images.

    A published system trained at 320, validated at 384, and left the last batch of its
    validation out. Lesions of another size in pixels look like something else to a network that
    saw one size: the warning comes once, with both sizes. Images that ``drop_last`` leaves out
    are not measured, and which those are depends on the batch size: that is an error.

    Raises:
        ValueError: Before a validation or test that would leave images out.
    """

    def __init__(self) -> None:
        self._trained: set[tuple[int, int]] = set()
        self._told = False

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Note the sizes that the model sees."""
        self._trained.update(_sizes(data_batch))

    def before_val(self, runner: Runner) -> None:
        """Check that every image is measured."""
        _check_complete(runner.val_dataloader, "val_dataloader")

    def before_test(self, runner: Runner) -> None:
        """Check that every image is measured."""
        _check_complete(runner.test_dataloader, "test_dataloader")

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Compare the sizes with those of training."""
        if self._told or not self._trained:
            return
        if other := set(_sizes(data_batch)) - self._trained:
            self._told = True
            runner.logger.warning(
                f"{_PLACE}: images of the validation are {_listed(other)}, those of training "
                f"{_listed(self._trained)} (height x width): the model is measured on lesions of a "
                "size that it has not seen; give both pipelines the same size_hw"
            )


def _sizes(batch: Any) -> Iterator[tuple[int, int]]:
    """Yield height and width of what the model gets; views of patches are not compared."""
    inputs = batch.get("inputs") if isinstance(batch, dict) else None
    for image in inputs if inputs is not None else ():
        if hasattr(image, "shape") and len(image.shape) >= 2:
            height, width = image.shape[-2:]
            yield int(height), int(width)


def _check_complete(loader: Any, name: str) -> None:
    left = len(loader.dataset) % (loader.batch_size or 1)
    if loader.drop_last and left:
        raise ValueError(
            f"{_PLACE}: {name} must measure every image, got drop_last=True, which leaves out "
            f"{left} of {len(loader.dataset)}: set {name}.drop_last=False"
        )


def _listed(sizes: set[tuple[int, int]]) -> str:
    return ", ".join(f"{height} x {width}" for height, width in sorted(sizes))
