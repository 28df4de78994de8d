"""One cycle up to the learning rate that the optimizer gives each group of parameters."""

from typing import Any

from mmengine.optim.scheduler import OneCycleLR
from mmpretrain.registry import PARAM_SCHEDULERS


@PARAM_SCHEDULERS.register_module()
class PeakOneCycleLR(OneCycleLR):
    """Rise to the optimizer's learning rates and fall to almost nothing, over the whole run.

    MMEngine's ``OneCycleLR`` has one peak for all groups of parameters: layer-wise decay and
    the factors of ``paramwise_cfg`` end with its first step, without a word. Here the peak of each
    group is the rate that it was given, so ``optimizer.lr`` is the peak of the head::

        param_scheduler = dict(type="PeakOneCycleLR", by_epoch=False)

    The runner fills in ``end``, the number of iterations, so the cycle always fits the run.

    Args:
        optimizer: Whose learning rates change.
        **settings: ``pct_start`` (0.3), ``div_factor`` (25), ``final_div_factor`` (1e4),
            ``anneal_strategy``, ``three_phase``, ``begin``, ``end``, ``by_epoch`` of MMEngine's
            ``OneCycleLR``.

    References:
        Smith and Topin 2018, arXiv:1708.07120.
    """

    def __init__(self, optimizer: Any, **settings: Any) -> None:
        peaks = [group["lr"] for group in optimizer.param_groups]
        super().__init__(optimizer, eta_max=peaks, **settings)
