"""See what the network saw and what it said about it."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.structures import DataSample
from numpy.typing import NDArray

NARROWEST, LINE = 400, 22  # pixels: room for a line of text, and its height


@HOOKS.register_module()
class PredictionPicturesHook(Hook):
    """Write tested images as 8-bit PNG with predictions and labels above them.

    The picture is the input of the network after the pipeline, before normalisation,
    with 0 as black and 1 as white; of several augmented versions the first. Files are
    named by the pseudonym of the image.

    Args:
        out_dir: Folder of the pictures.
        interval: Write every n-th image of the data set, >= 1.

    Raises:
        ValueError: If ``interval`` is not positive.
    """

    def __init__(self, out_dir: str, interval: int = 1) -> None:
        if interval < 1:
            raise ValueError(f"PredictionPicturesHook: interval must be >= 1, got {interval}")
        self.out_dir, self.interval = Path(out_dir), interval

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: list[DataSample] | None = None,
    ) -> None:
        """Write the pictures of a batch."""
        inputs = data_batch["inputs"]
        versions = isinstance(inputs[0], list) or inputs[0].ndim == 4
        for image, sample in zip(inputs[0] if versions else inputs, outputs or (), strict=True):
            if sample.sample_idx % self.interval == 0:
                self._write(image, sample)

    def _write(self, image: torch.Tensor, sample: DataSample) -> None:
        name = sample.get("image_id") or Path(sample.img_path).stem
        self.out_dir.mkdir(parents=True, exist_ok=True)
        path = self.out_dir / f"{name}.png"
        picture = draw_caption(image[0].float().cpu().numpy(), [str(name), *_says(sample)])
        if not cv2.imwrite(str(path), picture):
            raise OSError(f"{path} could not be written")


def draw_caption(image: NDArray[Any], lines: list[str]) -> NDArray[np.uint8]:
    """Return an image with lines of text above it.

    Args:
        image: Values in [0, 1]. Shape ``(H, W)``.
        lines: The text, from top to bottom.

    Returns:
        8-bit picture, ``(H + 22 * lines + 8, max(W, 400))``.
    """
    height, width = image.shape
    top = LINE * len(lines) + 8
    picture = np.zeros((top + height, max(width, NARROWEST)), np.uint8)
    picture[top:, :width] = np.round(image.clip(0, 1) * 255)
    for row, text in enumerate(lines, start=1):
        cv2.putText(picture, text, (6, LINE * row), cv2.FONT_HERSHEY_SIMPLEX, 0.55, 255, 1)
    return picture


def _says(sample: DataSample) -> list[str]:
    """Put the prediction and the label of each task into words."""
    lines = []
    for task, score in sample.pred_scores.items():
        values = score if isinstance(score, list) else [score]
        label = sample.get("gt_targets", {}).get(task)
        known = "not labelled" if label is None else f"label {label:g}"
        lines.append(f"{task}: {', '.join(f'{value:.3g}' for value in values)} ({known})")
    return lines
