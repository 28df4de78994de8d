"""The learning rate that domain-adversarial training was published with."""

from typing import Any

from mmengine.optim import _ParamScheduler
from mmpretrain.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class InversePowerLR(_ParamScheduler):
    """Divide the learning rate by ``(1 + rate * p) ** power`` at the share ``p`` of the training.

    MMEngine has no schedule that a rate and a power describe. A config needs
    ``param_scheduler=dict(type="InversePowerLR", by_epoch=False)``: the runner fills in
    ``end``, the number of iterations.

    Args:
        optimizer: Whose learning rates change.
        rate: How soon, >= 0.
        power: How far, >= 0.
        end: Step (iteration or epoch) at which p is 1.
        begin: Step at which p is 0.
        **settings: ``by_epoch``, ``last_step``, ``verbose`` as in MMEngine's schedules.

    Raises:
        ValueError: If ``rate`` or ``power`` is negative, or ``end`` not behind ``begin``.

    References:
        Ganin et al. 2016, arXiv:1505.07818, section 5.2.2: 0.01 / (1 + 10 p) ** 0.75.
    """

    def __init__(
        self,
        optimizer: Any,
        rate: float = 10.0,
        power: float = 0.75,
        *,
        end: int,
        begin: int = 0,
        **settings: Any,
    ) -> None:
        if rate < 0 or power < 0:
            raise ValueError(f"InversePowerLR: rate and power must be >= 0, got {rate} and {power}")
        self.rate, self.power = rate, power
        super().__init__(optimizer, "lr", begin=begin, end=end, **settings)

    def _factor(self, step: int) -> float:
        return float((1 + self.rate * step / (self.end - self.begin)) ** -self.power)

    def _get_value(self) -> list[float]:
        """Go on from the current values, so that a warm-up may act as well."""
        step: int = self.last_step
        change = 1.0 if step == 0 else self._factor(step) / self._factor(step - 1)
        return [group["lr"] * change for group in self.optimizer.param_groups]
