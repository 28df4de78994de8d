"""VGG blocks that make a whole-image classifier out of a patch network."""

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmpretrain.registry import MODELS
from torch import nn

from mammography.models.necks.top_blocks import TopBlocks, check_groups


@MODELS.register_module()
class VggTopNeck(TopBlocks):
    """Groups of 3x3 convolutions, each with max pooling, on a patch network; then the average.

    "512 x 1" of the end2end classifier is the default: one block of one convolution.

    Shapes:
        Map or tuple of maps, the last one ``(N, in_channels, H, W)``, to a tuple of one
        ``(N, depths[-1])``.

    Args:
        in_channels: Channels of the patch network's map.
        depths: Channels of each block.
        repetitions: Convolutions of each block, each with batch norm and ReLU.
        norm_cfg: Norm layer.
        init_cfg: Initialisation; Kaiming over the outputs unless given.

    Raises:
        ValueError: If a block is not well described.

    References:
        Shen et al. 2019, Scientific Reports 9:12495, "VGG block".

    Example:
        >>> import torch
        >>> neck = VggTopNeck(in_channels=16, depths=(8, 4), repetitions=(1, 2))
        >>> neck((torch.rand(2, 16, 9, 7),))[0].shape
        torch.Size([2, 4])
    """

    def __init__(
        self,
        in_channels: int = 512,
        depths: Sequence[int] = (512,),
        repetitions: Sequence[int] = (1,),
        norm_cfg: dict | None = None,  # type: ignore[type-arg]
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        check_groups("VggTopNeck", depths, repetitions)
        blocks = []
        for entering, depth, repetition in zip(
            [in_channels, *depths], depths, repetitions, strict=False
        ):
            convolutions = [
                ConvModule(
                    depth if number else entering,
                    depth,
                    3,
                    padding=1,
                    norm_cfg=norm_cfg or {"type": "BN"},
                )
                for number in range(repetition)
            ]
            blocks.append(nn.Sequential(*convolutions, nn.MaxPool2d(2)))
        super().__init__(blocks, init_cfg)
