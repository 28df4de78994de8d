"""Residual network whose blocks normalise and activate before they convolve."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F  # noqa: N812 (its usual name)
from mmcv.cnn import build_conv_layer, build_norm_layer
from mmpretrain.models.backbones.base_backbone import BaseBackbone
from mmpretrain.registry import MODELS
from torch import Tensor, nn

Settings = dict[str, Any]


@MODELS.register_module()
class PreActivationResNet(BaseBackbone):
    """ResNet of basic blocks in the order norm, activation, convolution.

    The defaults are the "ResNet-22" of the globally-aware classifier of mammograms: few
    channels, so that it affords a whole mammogram at full size. A 7x7 convolution of stride
    2, a 3x3 maximum of stride 2 without padding, five stages of two blocks, a last norm and
    ReLU; the first block of every stage has a 1x1 convolution as its shortcut, behind the
    block's own first activation. No convolution has a bias.

    Layers are named after their place, ``layer3.1.bn2``: stage 3, second block, second norm.
    Nothing works in place, so that any layer can be recorded.

    Shapes:
        ``(N, in_channels, H, W)`` to a tuple of one map; ``(N, 1, 2944, 1920)`` gives
        ``(N, 256, 46, 30)``.

    Args:
        in_channels: Channels of the image; a mammogram has one.
        stem_channels: Channels behind the first convolution.
        stage_channels: Channels of each stage.
        stage_blocks: Blocks of each stage.
        strides: Stride of the first block of each stage.
        pool_padding: Of the maximum in the stem.
        conv_cfg: Kind of the convolutions.
        norm_cfg: Kind of the norms.
        init_cfg: Initialisation; Kaiming's normal for convolutions unless given.

    Raises:
        ValueError: If the stages are not described by as many numbers each.

    References:
        He et al. 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027.
        Shen et al. 2021, Medical Image Analysis 68:101908 (the network of 22 layers).

    Example:
        >>> import torch
        >>> PreActivationResNet()(torch.rand(1, 1, 256, 192))[0].shape
        torch.Size([1, 256, 4, 3])
    """

    def __init__(
        self,
        in_channels: int = 1,
        stem_channels: int = 16,
        stage_channels: Sequence[int] = (16, 32, 64, 128, 256),
        stage_blocks: Sequence[int] = (2, 2, 2, 2, 2),
        strides: Sequence[int] = (1, 2, 2, 2, 2),
        *,
        pool_padding: int = 0,
        conv_cfg: Settings | None = None,
        norm_cfg: Settings | None = None,
        init_cfg: Settings | list[Settings] | None = None,
    ) -> None:
        super().__init__(
            init_cfg
            or [
                {"type": "Kaiming", "layer": ["Conv2d"]},
                {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]},
            ]
        )
        if not len(stage_channels) == len(stage_blocks) == len(strides) > 0:
            raise ValueError(
                "PreActivationResNet: stage_channels, stage_blocks and strides must be of one "
                f"length, got {tuple(stage_channels)}, {tuple(stage_blocks)}, {tuple(strides)}"
            )
        norm_cfg = norm_cfg or {"type": "BN"}
        self.conv1 = build_conv_layer(
            conv_cfg, in_channels, stem_channels, 7, stride=2, padding=3, bias=False
        )
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=pool_padding)
        self.stages = [f"layer{number}" for number in range(1, len(stage_channels) + 1)]
        before = stem_channels
        stages = zip(self.stages, stage_channels, stage_blocks, strides, strict=True)
        for name, channels, blocks, stride in stages:
            first = PreActivationBlock(
                before, channels, stride, project=True, conv_cfg=conv_cfg, norm_cfg=norm_cfg
            )
            others = [
                PreActivationBlock(channels, channels, conv_cfg=conv_cfg, norm_cfg=norm_cfg)
                for _ in range(blocks - 1)
            ]
            self.add_module(name, nn.Sequential(first, *others))
            before = channels
        self.bn = build_norm_layer(norm_cfg, before)[1]

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Return the last map."""
        features = self.maxpool(self.conv1(images))
        for name in self.stages:
            features = getattr(self, name)(features)
        return (F.relu(self.bn(features)),)


class PreActivationBlock(nn.Module):
    """Two 3x3 convolutions, each behind a norm and ReLU, around a shortcut.

    Shapes:
        ``(N, in_channels, H, W)`` to ``(N, out_channels, ceil(H / stride), ceil(W / stride))``.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        stride: Of the first convolution.
        project: The shortcut is a 1x1 convolution of what the first one sees; else it is
            the input itself.
        conv_cfg: Kind of the convolutions.
        norm_cfg: Kind of the norms.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        *,
        project: bool = False,
        conv_cfg: Settings | None,
        norm_cfg: Settings,
    ) -> None:
        super().__init__()
        self.bn1 = build_norm_layer(norm_cfg, in_channels)[1]
        self.conv1 = build_conv_layer(
            conv_cfg, in_channels, out_channels, 3, stride=stride, padding=1, bias=False
        )
        self.bn2 = build_norm_layer(norm_cfg, out_channels)[1]
        self.conv2 = build_conv_layer(
            conv_cfg, out_channels, out_channels, 3, padding=1, bias=False
        )
        self.shortcut = None
        if project:
            self.shortcut = build_conv_layer(
                conv_cfg, in_channels, out_channels, 1, stride=stride, bias=False
            )

    def forward(self, x: Tensor) -> Tensor:
        """Add what the convolutions find to the shortcut."""
        active = F.relu(self.bn1(x))
        found: Tensor = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return found + (x if self.shortcut is None else self.shortcut(active))
