"""The polygon around what is set in a mask, and the pixels inside a polygon.

Coordinates are continuous, ``(x, y)`` from the top-left corner, and pixel ``i`` covers
``[i, i + 1)``: a mask whose columns 10 to 19 are set reaches from 10 to 20.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]
Box = tuple[int, int, int, int]

# Tolerances that are tried, from a share of the size of the mask down to pixels.
_COARSEST, _FINER, _FINEST_PX = 1 / 32, 0.7, 0.3


def mask_box(mask: NDArray[Any]) -> Box:
    """Return left, top, right, bottom of what is set.

    Raises:
        ValueError: If nothing is set.

    Example:
        >>> mask = np.zeros((40, 30), bool)
        >>> mask[5:9, 10:20] = True
        >>> mask_box(mask)
        (10, 5, 20, 9)
    """
    left, top, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
    if not width:
        raise ValueError("mask_box: mask must have a pixel that is set, got none")
    return left, top, left + width, top + height


def drop_specks(mask: Mask, share: float = 0.01) -> tuple[Mask, int]:
    """Return a mask without parts that are tiny beside its largest one, and their number.

    Args:
        mask: Parts are connected by sides or corners.
        share: Parts of less than this share of the area of the largest are specks.

    Shapes:
        mask: (H, W); returns the same.

    Raises:
        ValueError: If nothing is set.
    """
    left, top, right, bottom = mask_box(mask)
    part = np.ascontiguousarray(mask[top:bottom, left:right])
    _, labels, stats, _ = cv2.connectedComponentsWithStats(part.view(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    specks = areas < share * areas.max()
    if not specks.any():
        return mask, 0
    kept = np.zeros_like(mask)
    kept[top:bottom, left:right] = np.append(False, ~specks)[labels]
    return kept, int(specks.sum())


def trace_outline(mask: Mask, overlap: float = 0.99) -> Points:
    """Return one closed polygon around all parts of a mask, with few points.

    It runs through the middles of the edges between pixels inside and outside (marching
    squares), so that slanted sides are straight. Holes are filled. Several parts are joined
    by bridges without area, one edge there and the same edge back, so that a lesion is
    always one polygon. Points are left out as long as each part, filled again, overlaps with
    that of the mask enough: of a smooth lesion some 25 remain, whatever its size.

    Args:
        mask: At least one pixel is set.
        overlap: Least intersection over union of :func:`fill_outline` of the result with
            the mask without holes, part by part.

    Shapes:
        mask: (H, W); returns (N, 2).

    Raises:
        ValueError: If nothing is set.

    References:
        Points are left out by Douglas and Peucker, Cartographica 10(2):112-122 (1973).

    Example:
        >>> mask = np.zeros((40, 30), bool)
        >>> mask[5:9, 10:20] = True
        >>> trace_outline(mask).tolist()[:4]
        [[10.0, 5.5], [10.0, 8.5], [10.5, 9.0], [19.5, 9.0]]
    """
    left, top, right, bottom = mask_box(mask)
    rings = [_thinned(ring, overlap) for ring in _rings(mask[top:bottom, left:right])]
    first, *others = rings
    if others:
        # Back at its start a ring leaves for the next one; at the end all bridges lead back.
        there = [np.vstack([ring, ring[:1]]) for ring in rings]
        first = np.vstack([*there, *(ring[:1] for ring in reversed(others[:-1]))])
    return first + np.array([left, top], np.float64)


def _rings(mask: Mask) -> list[NDArray[np.int32]]:
    """Return for each part the middles of its outer edges, in order, in half pixels."""
    # In a grid of half pixels the squares of the pixels have their edges at even places,
    # so OpenCV follows the edges; in one of pixels it would follow the outermost centres.
    grid = np.zeros((2 * mask.shape[0] + 1, 2 * mask.shape[1] + 1), np.uint8)
    grid[1::2, 1::2] = mask
    grid = cv2.dilate(grid, np.ones((3, 3), np.uint8))
    parts, _ = cv2.findContours(grid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    # The sum of the places is odd in the middle of an edge, even at its ends.
    return [part[part.sum(axis=(1, 2)) % 2 == 1] for part in parts]


def _thinned(ring: NDArray[np.int32], overlap: float) -> Points:
    """Return a ring of half pixels as one of pixels, with as few points as the overlap allows."""
    corner = ring.min(axis=(0, 1)) // 2
    width, height = (ring.max(axis=(0, 1)) // 2 - corner + 1).tolist()
    exact: Points = cv2.approxPolyDP(ring, 0, True)[:, 0] / 2
    whole = fill_outline(exact - corner, (height, width))
    tolerance = _COARSEST * float(whole.sum()) ** 0.5
    while tolerance > _FINEST_PX:
        points: Points = cv2.approxPolyDP(ring, 2 * tolerance, True)[:, 0] / 2
        filled = fill_outline(points - corner, (height, width))
        if (filled & whole).sum() >= overlap * (filled | whole).sum():
            return points
        tolerance *= _FINER
    return exact


def fill_outline(points: Points | Sequence[Sequence[float]], size_hw: tuple[int, int]) -> Mask:
    """Return the pixels whose centres lie inside a closed polygon, by the even-odd rule.

    The inverse of :func:`trace_outline`. Unlike ``cv2.fillPoly`` it takes fractions of
    pixels and does not thicken the polygon by its edge.

    Args:
        points: ``(x, y)``; they may lie beyond the image.
        size_hw: Rows and columns of the result.

    Shapes:
        points: (N, 2); returns ``size_hw``.

    Example:
        >>> fill_outline([(1, 1), (4, 1), (4, 3), (1, 3)], (4, 5)).astype(int)
        array([[0, 0, 0, 0, 0],
               [0, 1, 1, 1, 0],
               [0, 1, 1, 1, 0],
               [0, 0, 0, 0, 0]])
    """
    height, width = size_hw
    toggles = np.zeros((height, width + 1), np.uint8)
    start = np.asarray(points, np.float64).reshape(-1, 2) - 0.5  # Centres are whole numbers.
    end = np.roll(start, -1, axis=0)
    # Downwards, so that a bridge there and back crosses a row at the very same place.
    upwards = (start[:, 1] > end[:, 1])[:, None]
    upper, lower = np.where(upwards, end, start), np.where(upwards, start, end)
    first = np.clip(np.ceil(upper[:, 1]), 0, height).astype(np.intp)
    rows = np.clip(np.ceil(lower[:, 1]), 0, height).astype(np.intp) - first
    edge = np.repeat(np.arange(len(rows)), rows)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(rows) - rows, rows) + first[edge]
    run, rise = (lower - upper)[edge].T
    crossing = upper[edge, 0] + (row - upper[edge, 1]) * (run / rise)
    column = np.clip(np.ceil(crossing), 0, width).astype(np.intp)
    np.add.at(toggles, (row, column), 1)  # May run over: only odd or even counts.
    inside: Mask = np.bitwise_xor.accumulate(toggles & 1, axis=1)[:, :width] > 0
    return inside
