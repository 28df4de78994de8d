"""Residual blocks that make a whole-image classifier out of a patch network."""

from collections.abc import Sequence

from mmpretrain.models.backbones.resnet import Bottleneck, ResLayer
from mmpretrain.registry import MODELS

from mammography.models.necks.top_blocks import TopBlocks, check_groups


@MODELS.register_module()
class ResidualTopNeck(TopBlocks):
    """Groups of bottlenecks on the map of a patch network, then the average.

    "[512-512-1024] x 2" of the end2end classifier is the default: two groups of two
    bottlenecks of 512, 512 and 1024 channels. With ``stride=2``, as in the original, each group
    halves the map (36 x 28 to 9 x 7 for an image of 1152 x 896); with ``stride=1``, as in the port
    to PyTorch, it keeps its size, and sixteen times as many places enter the average. The stride
    lies on the 3x3 convolution. A shortcut is a 1x1 convolution with batch norm where size
    or channels change, so the second group has one with stride 2 only: 17,321,984
    parameters on 2048 channels with stride 2, 16,271,360 with stride 1, where a linear
    layer for two classes makes the 16,273,410 of the port.

    Shapes:
        Map or tuple of maps, the last one ``(N, in_channels, H, W)``, to a tuple of one
        ``(N, expansion * depths[-1])``.

    Args:
        in_channels: Channels of the patch network's map.
        depths: Channels inside the bottlenecks of each group.
        repetitions: Bottlenecks of each group.
        expansion: Channels that leave a bottleneck over those inside.
        stride: Of the first bottleneck of each group: 1 or 2.
        norm_cfg: Norm layer.
        init_cfg: Initialisation; Kaiming over the outputs unless given.

    Raises:
        ValueError: If a group is not well described or the stride is another.

    References:
        Shen et al. 2019, Scientific Reports 9:12495, "[512-512-1024] x 2".

    Example:
        >>> import torch
        >>> neck = ResidualTopNeck(in_channels=16, depths=(8, 8), repetitions=(1, 1))
        >>> neck((torch.rand(2, 16, 9, 7),))[0].shape
        torch.Size([2, 16])
    """

    def __init__(
        self,
        in_channels: int = 2048,
        depths: Sequence[int] = (512, 512),
        repetitions: Sequence[int] = (2, 2),
        expansion: int = 2,
        stride: int = 2,
        norm_cfg: dict | None = None,  # type: ignore[type-arg]
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        check_groups("ResidualTopNeck", depths, repetitions)
        if stride not in (1, 2):
            raise ValueError(f"ResidualTopNeck: stride must be 1 or 2, got {stride}")
        outputs = [expansion * depth for depth in depths]
        groups = [
            ResLayer(
                Bottleneck,
                repetition,
                entering,
                leaving,
                expansion=expansion,
                stride=stride,
                norm_cfg=norm_cfg or {"type": "BN"},
            )
            for entering, leaving, repetition in zip(
                [in_channels, *outputs], outputs, repetitions, strict=False
            )
        ]
        super().__init__(groups, init_cfg)
