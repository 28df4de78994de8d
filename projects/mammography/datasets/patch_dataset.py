"""Patches from inside the breast, for self-supervision."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.logging import print_log
from mmpretrain.registry import DATASETS
from numpy.typing import NDArray

from mammography.datasets.mammography_dataset import MammographyDataset
from mammography.datasets.randomness import generator
from mammography.datasets.transforms.load_mammogram import (
    LoadMammogram,
    check_cache_kind,
    read_mammogram,
    to_unit_range,
)
from mammography.structures.annotation import ImageRecord
from mammography.structures.pixel_cache import CacheKind

_QUICK_DRAWS = 32


@DATASETS.register_module()
class BreastPatchDataset(MammographyDataset):
    """Patches drawn on the fly inside the breast, or files of patches.

    A sample is one patch: the dataset reads the image, draws the patch and hands
    ``results["img"]`` (float32 in [0, 1]) to the pipeline, which must not load. All views
    that ``MultiView`` makes are therefore views of the same patch. New patches are drawn
    in every epoch, from the same random numbers as the transforms, unless ``seed`` fixes
    them.

    The patch is uniform among those whose share of non-zero pixels reaches
    ``min_breast_fraction``. If an image has none, the patch that holds most of the breast is
    taken and a warning names the image; an image smaller than the patch is padded with 0
    on all sides. ``results["breast_fraction"]`` tells the share.

    Args:
        ann_file: Annotation file (labels are not needed), or a ``.txt`` file with one image
            path per line, relative to ``data_root``.
        patch_size_hw: Size of a patch in pixels of the prepared image; None takes each file
            as a patch.
        patches_per_image: Patches of each image in an epoch.
        min_breast_fraction: Share of a patch that must not be background, 0 to 1.
        seed: Fixes the patches: the same in every epoch and run.
        tasks: Tasks whose labels (of the image) a patch carries; none by default.
        cache: Read cached pixels in place of the PNG, as in :class:`LoadMammogram`.
        **kwargs: As in :class:`MammographyDataset`.

    Raises:
        ValueError: If an argument is out of range or the pipeline loads images.
    """

    def __init__(
        self,
        ann_file: str,
        *,
        patch_size_hw: Sequence[int] | None = None,
        patches_per_image: int = 1,
        min_breast_fraction: float = 0.8,
        seed: int | None = None,
        tasks: Sequence[str] | None = (),
        cache: CacheKind | None = None,
        **kwargs: Any,
    ) -> None:
        place = type(self).__name__
        if patch_size_hw is not None and (len(patch_size_hw) != 2 or min(patch_size_hw) < 1):
            raise ValueError(f"{place}: patch_size_hw must be (height, width), got {patch_size_hw}")
        if patches_per_image < 1 or (patch_size_hw is None and patches_per_image > 1):
            raise ValueError(
                f"{place}: patches_per_image must be at least 1, and 1 without patch_size_hw, "
                f"got {patches_per_image}"
            )
        if not 0 <= min_breast_fraction <= 1:
            raise ValueError(
                f"{place}: min_breast_fraction must lie between 0 and 1, got {min_breast_fraction}"
            )
        self.patch_size_hw = None if patch_size_hw is None else (patch_size_hw[0], patch_size_hw[1])
        self.patches_per_image = patches_per_image
        self.min_breast_fraction = min_breast_fraction
        self.seed = seed
        check_cache_kind(place, cache)
        self.cache = cache
        self._small: set[str] = set()
        super().__init__(ann_file, tasks=tasks, **kwargs)
        if any(isinstance(step, LoadMammogram) for step in self.pipeline.transforms):
            raise ValueError(
                f"{place}: pipeline must not load, the patch is in results['img'], "
                "got LoadMammogram: remove it"
            )

    def load_data_list(self) -> list[dict[str, Any]]:
        """List each image as often as patches are drawn from it."""
        listed = Path(self.ann_file).suffix == ".txt"
        rows = self._read_list() if listed else super().load_data_list()
        # Findings are in pixels of the image, which a patch is not.
        return [row | {"findings": []} for row in rows for _ in range(self.patches_per_image)]

    def _read_list(self) -> list[dict[str, Any]]:
        self._metainfo |= {"tasks": [], "task_specs": {}}
        lines = Path(self.ann_file).read_text(encoding="utf-8").splitlines()
        return [self._row(ImageRecord(line.strip()), {}) for line in lines if line.strip()]

    def prepare_data(self, idx: int) -> Any:
        """Read an image, draw a patch of it and pass it through the pipeline."""
        info = self.get_data_info(idx)
        image = read_mammogram(info["img_path"], self.cache)
        info["ori_shape"] = image.shape
        if self.patch_size_hw is not None:
            rng = generator() if self.seed is None else np.random.default_rng([self.seed, idx])
            image, info["patch_box"], info["breast_fraction"] = draw_breast_patch(
                image, self.patch_size_hw, self.min_breast_fraction, rng
            )
            self._warn_if_small(info)
        info["img"] = to_unit_range(image, info["img_path"])
        info["img_shape"] = image.shape
        return self._through_pipeline(info)

    def _warn_if_small(self, info: dict[str, Any]) -> None:
        path, share = info["img_path"], info["breast_fraction"]
        if share < self.min_breast_fraction and path not in self._small:
            self._small.add(path)
            print_log(
                f"{path}: no patch of size {self.patch_size_hw} holds "
                f"{self.min_breast_fraction:.0%} breast, one with {share:.0%} is used",
                logger="current",
                level=logging.WARNING,
            )


def draw_breast_patch(
    image: NDArray[Any],
    size_hw: tuple[int, int],
    min_fraction: float,
    rng: np.random.Generator,
) -> tuple[NDArray[Any], tuple[int, int, int, int], float]:
    """Draw a patch uniformly among those that hold enough breast.

    Args:
        image: Any number type, 0 outside the breast.
        size_hw: Size of the patch.
        min_fraction: Share of pixels that must not be 0; if no patch has it, one with the
            largest share is drawn.
        rng: Source of randomness.

    Returns:
        The patch; its box (left, top, right, bottom) in the image, which reaches beyond an
        image that had to be padded; and its share of breast.

    Shapes:
        Image ``(H, W)``, patch ``size_hw``.
    """
    height, width = size_hw
    missing_y, missing_x = max(0, height - image.shape[0]), max(0, width - image.shape[1])
    above, before = missing_y // 2, missing_x // 2
    if missing_y or missing_x:
        image = np.pad(image, ((above, missing_y - above), (before, missing_x - before)))
    top, left = _draw_corner(image, size_hw, min_fraction, rng)
    patch = image[top : top + height, left : left + width]
    box = (left - before, top - above, left - before + width, top - above + height)
    return patch, box, np.count_nonzero(patch) / patch.size


def _draw_corner(
    image: NDArray[Any], size_hw: tuple[int, int], min_fraction: float, rng: np.random.Generator
) -> tuple[int, int]:
    height, width = size_hw
    wanted = min_fraction * height * width
    rows, columns = image.shape[0] - height + 1, image.shape[1] - width + 1
    # Most draws succeed at once; only then is counting every position worth its time.
    for _ in range(_QUICK_DRAWS):
        top, left = int(rng.integers(rows)), int(rng.integers(columns))
        if np.count_nonzero(image[top : top + height, left : left + width]) >= wanted:
            return top, left
    sums = cv2.integral((image > 0).view(np.uint8))
    counts = (
        sums[height:, width:]
        - sums[:-height, width:]
        - sums[height:, :-width]
        + sums[:-height, :-width]
    )
    positions = np.flatnonzero(counts >= min(wanted, counts.max()))
    top, left = divmod(int(rng.choice(positions)), columns)
    return top, left
