"""Mean and deviation of clinical variables, from the training images and from no other."""

from collections.abc import Iterator
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model


@HOOKS.register_module()
class FitClinicalEncoderHook(Hook):
    """Fit the ``clinical`` part of a model to the training data before the first step.

    What is fitted already stays: a run that goes on, or starts from a checkpoint, keeps the
    numbers that its weights were trained with. Every process sees all rows, so all fit the same.

    Raises:
        ValueError: If the model has no such part.
    """

    def before_train(self, runner: Runner) -> None:
        """Fit."""
        encoder = getattr(get_ori_model(runner.model), "clinical", None)
        if encoder is None:
            raise ValueError(
                "FitClinicalEncoderHook: the model must have a part named clinical: use "
                "MultiInputClassifier(clinical=dict(...)), or drop the hook"
            )
        if not (names := encoder.unfitted):
            return
        encoder.fit(_rows(runner.train_dataloader.dataset))
        moments = zip(encoder.numbers, encoder.mean.tolist(), encoder.std.tolist(), strict=True)
        told = ", ".join(f"{n} {mean:.4g} ({std:.4g})" for n, mean, std in moments if n in names)
        runner.logger.info(f"Clinical variables, mean (standard deviation) of training: {told}")


def _rows(dataset: Any) -> Iterator[dict[str, Any]]:
    for index in range(len(dataset)):
        yield dataset.get_data_info(index)
