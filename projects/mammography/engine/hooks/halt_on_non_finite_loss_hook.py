"""Stop a training that has diverged."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS


@HOOKS.register_module()
class HaltOnNonFiniteLossHook(Hook):
    """Stop at the first loss that is infinite or NaN, before such weights are saved."""

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Check every loss of the step.

        Raises:
            FloatingPointError: If one is not finite; names the losses and the images.
        """
        losses = {name: value for name, value in (outputs or {}).items() if "loss" in name}
        values = {name: torch.as_tensor(value).detach().item() for name, value in losses.items()}
        if all(map(math.isfinite, values.values())):
            return
        broken = ", ".join(f"{n}={v}" for n, v in values.items() if not math.isfinite(v))
        samples = data_batch.get("data_samples", ()) if isinstance(data_batch, dict) else ()
        images = ", ".join(str(sample.get("img_path")) for sample in samples)
        raise FloatingPointError(
            f"loss must be finite, got {broken} at iteration {runner.iter + 1} of epoch "
            f"{runner.epoch + 1}: lower the learning rate, clip the gradients, or look at the "
            f"images of the batch: {images}"
        )
