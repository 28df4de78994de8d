"""Loading: a PNG file to an augmented, normalised tensor, ours against MMCV step by step.

Both sides read the same 16-bit file of 1792 x 1024 as the preparation writes it, and do the same
work: flip, rotate by 10 degrees, shear by 5 degrees, translate by 3 %, resize to 1792 x 1024,
normalise to [-1, 1], make a float32 tensor with the channel first.

- Ours: the pipeline of the package: ``LoadMammogram``, one warp, ``PackMammogram``, normalise.
- MMCV, 3 channels: ``imread`` unchanged, three equal float32 channels as networks for photographs
  take them, then ``imflip``, ``imrotate``, ``imshear``, ``imtranslate``, ``imresize`` and
  ``imnormalize``: the usual path without losing bits. The goal speaks about this one.
- MMCV, 1 channel: the same on one channel, where MMCV allows it (``imnormalize`` by hand). It is
  printed without a goal, to tell how much of the ratio is the number of channels.

One call loads several images, as a loading worker does, so that neither side pays for the state
in which the other left the memory.
"""

import tempfile
from pathlib import Path

import cv2
import mmcv
import numpy as np
import torch
from tools.benchmarks.timing import Ratio, compare

from mammography.datasets.transforms.load_mammogram import LoadMammogram
from mammography.datasets.transforms.pack_mammogram import PackMammogram
from mammography.datasets.transforms.random_affine_warp import RandomAffineWarp
from mammography.functional.affine import AffineParameters
from mammography.functional.png16 import encode_png16

SIZE_HW = (1792, 1024)
ANGLE_DEG, SHEAR, SHIFT = 10.0, float(np.tan(np.deg2rad(5))), 0.03
IMAGES_PER_CALL = 6
PARAMETERS = AffineParameters(
    flip=True, rotation_deg=-ANGLE_DEG, shear_deg=(5.0, 0.0), translation=(SHIFT, 0.0)
)


def draw_image():
    """Draw a breast with smooth tissue and noise in 12 of 16 bits, background 0."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]] / np.array(SIZE_HW).reshape(2, 1, 1)
    inside = ((y - 0.5) / 0.48) ** 2 + (x / 0.85) ** 2 < 1
    tissue = 1500 + 900 * np.sin(9 * x + 4 * y) + 600 * np.cos(13 * y) + rng.normal(0, 12, SIZE_HW)
    return np.where(inside, tissue.clip(1, 4095), 0).astype(np.uint16) << 4


def ours(path):
    results = LoadMammogram()({"img_path": path})
    results = RandomAffineWarp(SIZE_HW).warp(results, PARAMETERS)
    tensor = PackMammogram()(results)["inputs"]
    return tensor.sub_(0.5).div_(0.5)


def mmcv_steps(path, channels):
    image = mmcv.imread(path, flag="unchanged").astype(np.float32) / np.float32(65535)
    if channels == 3:
        image = np.repeat(image[..., None], 3, axis=2)
    image = mmcv.imflip(image)
    image = mmcv.imrotate(image, ANGLE_DEG)
    image = mmcv.imshear(image, SHEAR)
    image = mmcv.imtranslate(image, SHIFT * SIZE_HW[1])
    image = mmcv.imresize(image, SIZE_HW[::-1])  # (width, height)
    if channels == 1:
        return torch.from_numpy((image - np.float32(0.5)) / np.float32(0.5))[None]
    half = np.full(3, 0.5)
    image = mmcv.imnormalize(image, half, half, to_rgb=False)
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def load_several(load, path, **settings):
    for _ in range(IMAGES_PER_CALL):
        load(path, **settings)


def run() -> list[Ratio]:
    cv2.setNumThreads(1)  # as in a loading worker
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "breast.png")
        Path(path).write_bytes(encode_png16(draw_image()))
        return [
            compare(
                f"load and augment {IMAGES_PER_CALL} images, MMCV in 3 channels",
                lambda: load_several(ours, path),
                lambda: load_several(mmcv_steps, path, channels=3),
                goal=5.0,
            ),
            compare(
                f"load and augment {IMAGES_PER_CALL} images, MMCV in 1 channel",
                lambda: load_several(ours, path),
                lambda: load_several(mmcv_steps, path, channels=1),
            ),
        ]
