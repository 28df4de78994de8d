"""Necks: how small their part of a forward pass is, at 1792 x 1024 and 896 x 512.

Ours is the neck on the feature map, theirs the backbone on one image of one channel, both
without gradients in float32. A neck that takes at most 15 % of the backbone's time is at least
1 / 0.15 = 6.7 times as fast.
"""

import torch
from tools.benchmarks.timing import Ratio, compare

from mammography.models.backbones.narrow_late_resnet import NarrowLateResNet
from mammography.models.necks.depthwise_residual_pooling_neck import DepthwiseResidualPoolingNeck
from mammography.models.necks.transformer_neck import TransformerNeck

SIZES_HW = ((1792, 1024), (896, 512))
LARGEST_SHARE = 0.15


def compare_at(size_hw, backbone, neck):
    image = torch.rand(1, 1, *size_hw)
    feats = backbone(image)
    height, width = size_hw
    return compare(
        f"{type(neck).__name__} against the backbone, {height} x {width}",
        lambda: neck(feats),
        lambda: backbone(image),
        goal=1 / LARGEST_SHARE,
    )


@torch.inference_mode()
def run() -> list[Ratio]:
    torch.manual_seed(0)
    backbone = NarrowLateResNet()
    necks = [TransformerNeck(), DepthwiseResidualPoolingNeck()]
    for module in (backbone, *necks):
        module.eval()
    return [compare_at(size_hw, backbone, neck) for neck in necks for size_hw in SIZES_HW]
