"""How strongly the features are turned against the domain classifier, as training goes on."""

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model

from mammography.functional.gradient_reversal import adversarial_strength


@HOOKS.register_module()
class AdversarialStrengthHook(Hook):
    """Raise the ``strength`` of a ``DomainAdversarialClassifier`` from 0 before every step.

    It follows from the share of the iterations that are done, so there is nothing to save:
    a resumed run goes on where it was. Training for more epochs stretches the curve. The log,
    and TensorBoard where it is a ``vis_backend``, show it as ``adversarial_strength``.

    Args:
        max_strength: What it approaches, >= 0 (published: 1).
        steepness: How soon, above 0 (published: 10, which is 0.99 halfway).

    Raises:
        ValueError: If an argument is out of range, or when training begins with a model
            that has no such strength.

    References:
        Ganin et al. 2016, arXiv:1505.07818, section 5.2.2. Their learning rate is
        :class:`~mammography.engine.schedules.inverse_power_lr.InversePowerLR`.
    """

    def __init__(self, max_strength: float = 1.0, steepness: float = 10.0) -> None:
        if max_strength < 0 or steepness <= 0:
            raise ValueError(
                "AdversarialStrengthHook: max_strength must be >= 0 and steepness above 0, "
                f"got {max_strength} and {steepness}"
            )
        self.max_strength = max_strength
        self.steepness = steepness

    def before_train(self, runner: Runner) -> None:
        """Check the model."""
        model = get_ori_model(runner.model)
        if not hasattr(model, "strength"):
            raise ValueError(
                "AdversarialStrengthHook: model must be a DomainAdversarialClassifier, "
                f"got {type(model).__name__}"
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the strength of the coming step and write it down."""
        strength = adversarial_strength(
            runner.iter / runner.max_iters, self.max_strength, self.steepness
        )
        get_ori_model(runner.model).strength = strength
        runner.message_hub.update_scalar("train/adversarial_strength", strength)
