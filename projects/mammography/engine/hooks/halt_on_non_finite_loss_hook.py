"""Stop a training that has diverged."""

import math
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model

# Above it, what Adam learns in an epoch is thrown away in a step.
_HIGHEST_ADAM_RATE = 0.01
_PLACE = "HaltOnNonFiniteLossHook"


@HOOKS.register_module()
class HaltOnNonFiniteLossHook(Hook):
    """Stop at the first loss that is infinite or NaN, and before weights that are get saved.

    A published one-cycle run with Adam up to a rate of 0.1 in float16 ended in NaN. Adam moves
    each weight by about the rate, whatever the gradient, and layers multiply what that does.
    Tried on nine hidden layers without norms, one cycle of 150 steps: at 0.1 activations pass
    65504, the largest number of float16, and the loss is NaN at step 53, near the peak; then the
    gradient scaler skips every step without a word. In bfloat16 and float32 they grow to 1e7
    and 1e8, and nothing is learned; at 0.001 they stay below 3. So the hook warns of such a
    peak before the first step, and stops at the first such loss.
    """

    def before_train(self, runner: Runner) -> None:
        """Warn of a learning rate that Adam does not survive."""
        optimizer = getattr(runner.optim_wrapper, "optimizer", None)
        peak = _peak_rate(optimizer)
        if "adam" in type(optimizer).__name__.lower() and peak > _HIGHEST_ADAM_RATE:
            runner.logger.warning(
                f"{_PLACE}: the learning rate of {type(optimizer).__name__} reaches {peak:g}; it "
                f"moves each weight by about as much in every step, and above {_HIGHEST_ADAM_RATE} "
                "mostly diverges: lower lr, and eta_max of OneCycleLR, to 1e-4 to 1e-3"
            )

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: dict[str, Any] | None = None,
    ) -> None:
        """Check every loss of the step.

        Raises:
            FloatingPointError: If one is not finite; names the losses, the learning rate and
                the images.
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
            f"{runner.epoch + 1}{_rates(runner)}: lower the learning rate, clip the gradients"
            f"{_precision(runner)}, or look at the images of the batch: {images}"
        )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check the weights: the step after the last loss may have broken them.

        Raises:
            FloatingPointError: If one is not finite; names it.
        """
        for name, weight in get_ori_model(runner.model).named_parameters():
            if not bool(torch.isfinite(weight).all()):
                raise FloatingPointError(
                    f"weights must be finite to be saved, got others in {name} at iteration "
                    f"{runner.iter} of epoch {runner.epoch + 1}{_rates(runner)}: lower the "
                    f"learning rate or clip the gradients{_precision(runner)}"
                )


def _peak_rate(optimizer: Any) -> float:
    """Return the highest rate that the schedule will reach, as far as it says."""
    groups = getattr(optimizer, "param_groups", ())
    return max((max(g["lr"], g.get("max_lr", 0.0)) for g in groups), default=0.0)


def _rates(runner: Runner) -> str:
    """Say the learning rate, and the peak of a one-cycle schedule."""
    optimizer = getattr(runner.optim_wrapper, "optimizer", None)
    groups = getattr(optimizer, "param_groups", ())
    if not groups:
        return ""
    now, peak = max(group["lr"] for group in groups), _peak_rate(optimizer)
    return f", at learning rate {now:.3g}" + (f" of at most {peak:.3g}" if peak > now else "")


def _precision(runner: Runner) -> str:
    """Name the precision that overflows soonest, where it is in use."""
    scaled = hasattr(runner.optim_wrapper, "loss_scaler")
    half = getattr(runner.optim_wrapper, "cast_dtype", None) in (None, torch.float16)
    return (
        ", train in bfloat16 (optim_wrapper.dtype), whose range is wider" if scaled and half else ""
    )
