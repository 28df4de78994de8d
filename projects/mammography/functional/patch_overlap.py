"""How much patches of an image overlap with a region of it, and their pixels.

How much a patch overlaps with a region is, as in the published end2end classifier, the larger of
two shares: that of the region inside the patch, and that of the patch inside the region. A small
lesion must lie in the patch; of a large one the patch must lie in the lesion.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.outlines import Mask

SizeHW = tuple[int, int]


class Region:
    """A region of an image, of which the part inside any patch is known at once.

    It holds a summed-area table, so that a million places cost a few lookups each.

    Args:
        mask: Where the region is; at least one pixel is set.
        corner: Column and row of the image where the mask begins.

    Shapes:
        mask: (H, W).

    Raises:
        ValueError: If nothing is set.

    Example:
        >>> region = Region(np.ones((10, 20), bool), corner=(30, 40))
        >>> region.box, region.area, region.centre
        ((30, 40, 50, 50), 200, (40.0, 45.0))
        >>> region.overlap([0, 40], [0, 40], (45, 45)).tolist()
        [0.375, 0.5]
        >>> region.overlap([40], [40], (10, 10)).tolist()
        [1.0]
    """

    def __init__(self, mask: Mask, corner: tuple[int, int] = (0, 0)) -> None:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not rows.size:
            raise ValueError("Region: mask must have a pixel that is set, got none")
        left, top = int(columns[0]), int(rows[0])
        part = mask[top : rows[-1] + 1, left : columns[-1] + 1]
        height, width = part.shape
        self.left, self.top = left + corner[0], top + corner[1]
        self.box = (self.left, self.top, self.left + width, self.top + height)
        self._sums = np.zeros((height + 1, width + 1), np.int32)
        np.cumsum(part, axis=0, dtype=np.int32, out=self._sums[1:, 1:])
        np.cumsum(self._sums, axis=1, dtype=np.int32, out=self._sums)
        self.area = int(self._sums[-1, -1])

    @property
    def centre(self) -> tuple[float, float]:
        """Centre of mass as ``(x, y)``, in continuous coordinates of the image."""
        places = []
        for sums, start in ((self._sums[-1], self.left), (self._sums[:, -1], self.top)):
            counts = np.diff(sums)
            places.append(float(counts @ (np.arange(counts.size) + 0.5) / self.area + start))
        return places[0], places[1]

    def count(self, left: ArrayLike, top: ArrayLike, patch_hw: SizeHW) -> NDArray[np.int32]:
        """Return how many pixels of the region lie in each of many patches.

        Args:
            left: Left edges, in pixels of the image.
            top: Upper edges; broadcast with ``left``.
            patch_hw: Rows and columns of a patch.
        """
        height, width = (side - 1 for side in self._sums.shape)
        x, y = np.asarray(left) - self.left, np.asarray(top) - self.top
        x0, x1 = (np.clip(edge, 0, width) for edge in (x, x + patch_hw[1]))
        y0, y1 = (np.clip(edge, 0, height) for edge in (y, y + patch_hw[0]))
        sums = self._sums
        return np.asarray(sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0])

    def overlap(self, left: ArrayLike, top: ArrayLike, patch_hw: SizeHW) -> NDArray[np.float64]:
        """Return the larger share, of the region or of the patch, that they have in common.

        The arguments are those of :meth:`count`.
        """
        # The smaller area gives the larger share.
        smaller = min(self.area, patch_hw[0] * patch_hw[1])
        return np.asarray(self.count(left, top, patch_hw) / smaller)


def cut_patch(image: NDArray[Any], left: int, top: int, patch_hw: SizeHW) -> NDArray[Any]:
    """Return a copy of a patch; what lies beyond the image is 0.

    Shapes:
        image: (H, W); returns ``patch_hw``.

    Example:
        >>> cut_patch(np.arange(1, 7).reshape(2, 3), 1, -1, (2, 3))
        array([[0, 0, 0],
               [2, 3, 0]])
    """
    (height, width), (rows, columns) = patch_hw, image.shape
    x0, x1 = (min(max(edge, 0), columns) for edge in (left, left + width))
    y0, y1 = (min(max(edge, 0), rows) for edge in (top, top + height))
    patch = np.zeros(patch_hw, image.dtype)
    patch[y0 - top : y1 - top, x0 - left : x1 - left] = image[y0:y1, x0:x1]
    return patch
