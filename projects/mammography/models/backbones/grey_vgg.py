"""VGG for images of one channel."""

from typing import Any

from mmpretrain.models import VGG
from mmpretrain.registry import MODELS
from torch import nn


@MODELS.register_module()
class GreyVGG(VGG):
    """MMPreTrain's VGG, whose first convolution takes one channel instead of three.

    Names and all other shapes are those of MMPreTrain, so that its ImageNet weights load with
    ``LoadPretrainedHook``, which sums the first layer over its channels.

    Shapes:
        ``(N, 1, H, W)`` to a tuple of ``(N, 512, H / 32, W / 32)``.

    Args:
        depth: 11, 13, 16 or 19.
        **options: Of :class:`mmpretrain.models.VGG`, e.g. ``norm_cfg``.

    Example:
        >>> import torch
        >>> GreyVGG(depth=11)(torch.rand(1, 1, 64, 96))[0].shape
        torch.Size([1, 512, 2, 3])
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **options)
        first = self.features[0].conv
        self.features[0].conv = nn.Conv2d(
            1, first.out_channels, first.kernel_size, padding=first.padding
        )
