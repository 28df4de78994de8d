"""Heat maps: one pass over the image against a window at a time.

Ours is :func:`heat_maps`, theirs :func:`slide_window` with the same network, windows and threads: a
ResNet-18 for patches of 224 pixels on images of 576 x 448 and 288 x 224 (1152 x 896, as published,
takes minutes a window at a time), and the half ResNet-18 of the demo for patches of 96 pixels. At a
stride of 32 pixels the whole image is one pass, at 16 it is four, for four times as many
windows. The goal is 10 times as fast. Windows of 224 pixels overlap 49-fold and those of 96
pixels 9-fold at a stride of 32: the most that can be saved, less the margin around the
image. So small windows have no goal.
"""

import torch
from mmpretrain.models import ResNet
from tools.benchmarks.timing import Ratio, compare
from torch import nn

from mammography.functional.heat_maps import heat_maps, slide_window
from mammography.functional.windows import WindowGrid

GOAL = 10.0
REPEATS = 1
HALF = {"stem_channels": 32, "base_channels": 32}
# Name, options, channels, image, window, stride, goal.
CASES = (
    ("ResNet-18", {}, 512, (576, 448), 224, 32, GOAL),
    ("ResNet-18", {}, 512, (288, 224), 224, 16, GOAL),
    ("half ResNet-18", HALF, 256, (576, 320), 96, 32, None),
)


def compare_ways(name, settings, channels, image_hw, window, stride, goal):
    backbone = ResNet(18, in_channels=1, **settings)
    backbone.eval()
    head = nn.Linear(channels, 5)
    image, grid = torch.rand(1, *image_hw), WindowGrid(image_hw, window, stride)

    def trunk(x):
        return backbone(x)[-1]

    def classify(pooled):
        return head(pooled).softmax(1)

    def network(x):
        return classify(trunk(x).mean(dim=(2, 3)))

    rows, columns = grid.shape
    what = f"{name}, {rows} x {columns} windows of {window} px every {stride}"
    return compare(
        what,
        lambda: heat_maps(trunk, classify, image, grid),
        lambda: slide_window(network, image, grid, batch_size=16),
        goal,
        repeats=REPEATS,
    )


@torch.inference_mode()
def run() -> list[Ratio]:
    torch.manual_seed(0)
    return [compare_ways(*case) for case in CASES]
