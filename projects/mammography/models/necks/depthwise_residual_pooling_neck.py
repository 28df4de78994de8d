"""Pooling by strided depthwise convolutions instead of one average over all."""

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor, nn


class DepthwiseResidualBlock(nn.Module):
    """Halve a map by a bottleneck with a depthwise convolution, beside an average pool.

    Shapes:
        ``(N, C, H, W)`` to ``(N, C, ceil(H / 2), ceil(W / 2))``.

    Args:
        channels: C.
        inner_channels: Channels between the two 1x1 convolutions.
        drop_rate: Dropout of the branch before it joins the shortcut.
    """

    def __init__(self, channels: int, inner_channels: int, drop_rate: float) -> None:
        super().__init__()
        norm = {"type": "BN"}
        self.branch = nn.Sequential(
            ConvModule(channels, inner_channels, 1, norm_cfg=norm),
            ConvModule(
                inner_channels,
                inner_channels,
                3,
                stride=2,
                padding=1,
                groups=inner_channels,
                norm_cfg=norm,
            ),
            ConvModule(inner_channels, channels, 1, norm_cfg=norm, act_cfg=None),
            nn.Dropout(drop_rate),
        )
        # Rounds up, as the padded convolution does.
        self.shortcut = nn.AvgPool2d(2, stride=2, ceil_mode=True)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the halved map."""
        out: Tensor = self.relu(self.shortcut(x) + self.branch(x))
        return out


@MODELS.register_module()
class DepthwiseResidualPoolingNeck(BaseModule):
    """Pool a feature map by residual depthwise blocks, then by the average.

    A small lesion fills one cell of some thousand: blocks that learn what to keep
    come before the average that would thin it out.

    Shapes:
        Map or tuple of maps, the last one ``(N, C, H, W)``, to a tuple of one ``(N, C)``.

    Args:
        in_channels: C.
        num_blocks: Halvings; 2 for a whole breast, 1 for a region of 500 pixels.
        inner_channels: Width of the bottlenecks.
        drop_rate: Dropout of each branch.
        init_cfg: Initialisation; Kaiming unless given.

    Example:
        >>> import torch
        >>> neck = DepthwiseResidualPoolingNeck(in_channels=16, inner_channels=4)
        >>> neck((torch.rand(2, 16, 7, 5),))[0].shape
        torch.Size([2, 16])
    """

    def __init__(
        self,
        in_channels: int = 1024,
        num_blocks: int = 2,
        inner_channels: int = 128,
        drop_rate: float = 0.2,
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        super().__init__(
            init_cfg
            or [
                {"type": "Kaiming", "layer": ["Conv2d"]},
                {"type": "Constant", "val": 1, "layer": ["_BatchNorm"]},
            ]
        )
        if num_blocks < 1:
            raise ValueError(
                f"DepthwiseResidualPoolingNeck: num_blocks must be at least 1, got {num_blocks}: "
                "GlobalAveragePooling is the neck without blocks"
            )
        self.blocks = nn.Sequential(
            *(
                DepthwiseResidualBlock(in_channels, inner_channels, drop_rate)
                for _ in range(num_blocks)
            )
        )

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the pooled vector of each image."""
        x = feats[-1] if isinstance(feats, tuple) else feats
        return (self.blocks(x).mean(dim=(2, 3)),)
