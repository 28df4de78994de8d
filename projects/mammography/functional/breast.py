"""Where the breast lies in a mammogram: mask, box and chest wall, found in a small copy.

Works on digital images (background constant or noisy) and on scanned films with burnt-in
labels and white scanner edges. Bright must be dense: invert MONOCHROME1 first.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast_mask import (
    Mask,
    NotABreastError,
    Side,
    breast_mask,
    chest_wall_side,
)

LOW_RESOLUTION = 512  # Pixels along the longer side of the small copy.
_EDGE_COLUMNS = 0.005  # The edge of a scanner at the chest wall is no thicker, of the width.
_EDGE_STEP = 0.15  # It is by so much brighter than the tissue beside it.
_RIM = 2  # Pixels of the small copy that the outline of the tissue may be off.


@dataclass(frozen=True, eq=False)
class Breast:
    """A breast found in an image.

    Attributes:
        mask: The breast with skin and nipple in the small copy; its pixel ``i`` covers
            ``[i * factor, (i + 1) * factor)`` of the image.
        tissue: The part of the mask that clearly stands out of the background.
        factor: Image pixels per pixel of the masks.
        size_hw: Rows and columns of the image.
        chest_wall: Side of the image where the chest wall lies.
        white_edge: Columns on that side that show the edge of the scanner.
    """

    mask: Mask
    tissue: Mask
    factor: int
    size_hw: tuple[int, int]
    chest_wall: Side
    white_edge: int = 0

    def box(self, margin: int = 0) -> tuple[int, int, int, int]:
        """Return left, top, right, bottom of the breast in image pixels.

        Args:
            margin: Pixels to add on each side, as far as the image goes without its white
                edge.
        """
        height, width = self.size_hw
        top, bottom = _bounds(np.any(self.mask, axis=1), self.factor, height, margin)
        left, right = _bounds(np.any(self.mask, axis=0), self.factor, width, margin)
        if self.chest_wall == "left":
            return max(left, self.white_edge), top, right, bottom
        return left, top, min(right, width - self.white_edge), bottom

    def core(self) -> "Breast":
        """Return the breast without its rim, whose pixels of the small copy may be mixed."""
        tissue = self.tissue.astype(np.uint8)
        around = np.ones((2 * _RIM + 1, 2 * _RIM + 1), np.uint8)
        core = cv2.erode(tissue, around, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        return replace(self, mask=core > 0, tissue=core > 0)

    def mask_in(self, box: tuple[int, int, int, int], size_hw: tuple[int, int]) -> Mask:
        """Return the mask of a part of the image, with a smooth outline, at any size.

        Shapes:
            returns: ``size_hw``.

        Args:
            box: Left, top, right, bottom of the part in image pixels.
            size_hw: Rows and columns that the part is scaled to.
        """
        left, top, right, bottom = box
        rows, top, height = _scale_axis(top, bottom, self.factor, size_hw[0])
        columns, left, width = _scale_axis(left, right, self.factor, size_hw[1])
        part = self.mask[rows, columns].astype(np.uint8)
        soft = cv2.resize(255 * part, (width, height), interpolation=cv2.INTER_LINEAR)
        inside: Mask = soft[top : top + size_hw[0], left : left + size_hw[1]] > 127
        return inside


def _scale_axis(start: int, end: int, factor: int, size: int) -> tuple[slice, int, int]:
    """Return the mask pixels that cover a stretch, where it begins in them, and their size.

    Begin and size are in pixels of the stretch when it is scaled to ``size`` pixels.
    """
    first, last = start // factor, -(-end // factor)
    scale = size / (end - start)
    begin = round((start - first * factor) * scale)
    return slice(first, last), begin, max(round((last - first) * factor * scale), begin + size)


def _bounds(occupied: Mask, factor: int, size: int, margin: int) -> tuple[int, int]:
    """Return first and last image pixel along one axis; the last mask pixel is a partial one."""
    first, last = np.flatnonzero(occupied)[[0, -1]].tolist()
    end = size if last == len(occupied) - 1 else (last + 1) * factor
    return max(first * factor - margin, 0), min(end + margin, size)


def find_breast(
    image: NDArray[Any], to_density: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> Breast:
    """Find the breast in a mammogram.

    Shapes:
        image: (H, W).

    Args:
        image: Values of any numeric type.
        to_density: Turns values of the image into ones that are bright where dense; it is
            given the few that are looked at. Without it the image is bright where dense.

    Raises:
        NotABreastError: If no region of the image can be a breast.

    Example:
        >>> image = np.zeros((1000, 800), np.uint16)
        >>> _ = cv2.ellipse(image, (0, 500), (400, 300), 0, 0, 360, 3000, -1)
        >>> breast = find_breast(image)
        >>> breast.chest_wall, breast.factor, breast.box()
        ('left', 2, (0, 198, 402, 802))
    """
    small, factor = subsample(image)
    if to_density:
        small = to_density(small)
    tissue, mask = breast_mask(small)
    side = chest_wall_side(tissue)
    strip = _strip_at_chest_wall(image, tissue, factor, side)
    edge = _white_edge(to_density(strip) if to_density else strip)
    return Breast(mask, tissue, factor, (image.shape[0], image.shape[1]), side, edge)


def subsample(image: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return every n-th pixel of an image as a small copy, and n.

    Fifty times faster than averaging; :func:`breast_mask` removes the noise afterwards.

    Raises:
        NotABreastError: If the image is too small.
    """
    if image.ndim != 2 or min(image.shape) < 64:
        raise NotABreastError("the image is too small")
    factor = max(1, round(max(image.shape) / LOW_RESOLUTION))
    return image[factor // 2 :: factor, factor // 2 :: factor], factor


def _strip_at_chest_wall(
    image: NDArray[Any], tissue: Mask, factor: int, side: Side
) -> NDArray[Any]:
    """Return the outermost columns of the breast at the chest wall, from there inwards."""
    outward = image if side == "left" else image[:, ::-1]
    rows = np.flatnonzero(tissue[:, 0 if side == "left" else -1]) * factor
    return outward[rows, : 3 * max(round(_EDGE_COLUMNS * image.shape[1]), 1)]


def _white_edge(strip: NDArray[Any]) -> int:
    """Count columns at the chest wall that are brighter than the tissue beside them.

    A step of brightness within a few columns is no anatomy: it is the edge of the film.
    """
    if not len(strip):
        return 0
    limit = strip.shape[1] // 3
    profile = np.median(strip, axis=0)
    level = float(np.median(profile[limit:]))
    edge = int(np.argmin(np.append(profile > level + _EDGE_STEP * abs(level), False)))
    return edge if edge <= limit else 0
