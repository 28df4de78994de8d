"""Which pixels of a small mammogram show the breast.

The threshold is a low share of the way from the background to Otsu's threshold, since
Otsu's own cuts off the skin and the nipple. What a film scanner adds is taken away by
where it lies: white edges span whole rows, light leaks in along the chest wall, labels
are separate.
"""

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Side = Literal["left", "right"]

# Thresholds are shares of the way from the background to Otsu's threshold.
_TISSUE = 0.2
_SKIN = 0.03
_NOISE_LIMIT = 0.1
_NOISE_SIGMAS = 5.0
_SKIN_REACH = 0.08  # How far skin and nipple stand out of the tissue, of the shorter side.
_EDGE_ROWS = 0.04  # The white edge of a scanner is no thicker, of the height.
_EDGE_SLACK = 0.006  # Rows removed beyond it, for edges are seldom level, of the height.
_LEAK_COLUMNS = 0.08  # Light leaking in along the chest wall reaches no farther, of the width.
_LEAK_ROWS = 0.03  # A shorter stretch along the chest wall may be breast, of the height.
_LEAK_FALL = 0.62  # It fades towards the breast; the skin of the trunk keeps its level.
_LEAK_STEP = 2  # Columns that the reach of leaking light varies by.
_BINS = 4096
_LARGEST = 1e30  # Of values; single precision ends at 3e38.
_AREA = (0.01, 0.98)  # Share of the image.
_SOLIDITY = 0.6  # Share of the convex hull; of 74 real films the least is 0.86.
_WHOLE_BORDER = 0.93  # A breast covers one side of the image, but not the top or bottom as well.


class NotABreastError(ValueError):
    """The image shows no breast; the text says why."""


def breast_mask(small: NDArray[Any]) -> tuple[Mask, Mask]:
    """Return the tissue that clearly stands out, and the breast with its skin and nipple.

    Shapes:
        small: (h, w), some hundred pixels each.
        returns: Two masks of (h, w), the second holds the first.

    Args:
        small: Values where bright is dense.

    Raises:
        NotABreastError: If no region can be a breast.
    """
    if not np.abs(small).max() <= _LARGEST:
        raise NotABreastError("the image holds values that are too large or not finite")
    image: Image = cv2.medianBlur(small.astype(np.float32), 3)
    original = image.copy()
    background, otsu, noise = _levels(image)
    contrast = otsu - background
    tissue_level = background + _TISSUE * contrast
    _clear_white_edges(image, background, tissue_level)
    tissue = _tissue(image, tissue_level)
    noise_share = min(_NOISE_SIGMAS * noise / contrast, _NOISE_LIMIT)
    skin_level = background + max(_SKIN, noise_share) * contrast
    if _clear_leaking_light(image, background, skin_level, otsu, tissue):
        tissue = _tissue(image, tissue_level)
    _check(tissue)
    return tissue, _with_skin(image, skin_level, tissue) & (image == original)


def chest_wall_side(mask: Mask) -> Side:
    """Return the side where the breast is taller: the chest wall, not the nipple."""
    columns = np.flatnonzero(mask.any(0))
    heights = mask[:, columns[0] : columns[-1] + 1].sum(0)
    outer = max(len(heights) // 8, 1)
    return "left" if heights[:outer].sum() >= heights[-outer:].sum() else "right"


def _levels(image: Image) -> tuple[float, float, float]:
    """Return the level of the background, Otsu's threshold and the noise of the background."""
    low, high = float(image.min()), float(image.max())
    if low == high:
        raise NotABreastError("the image is constant")
    step = (high - low) / (_BINS - 1)
    counts = np.bincount(((image - low) / step + 0.5).astype(np.intp).ravel(), minlength=_BINS)
    values = np.arange(_BINS)
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * values)
    above = image.size - below
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = (sums[-1] * below / image.size - sums[:-1]) ** 2 / (below * above)
    otsu = int(np.mean(np.flatnonzero(spread >= np.nanmax(spread) * (1 - 1e-9))))
    background = _background(counts[: otsu + 1])
    distance = np.abs(values - background)[: background + max((otsu - background) // 4, 1)]
    noise = 1.4826 * _median(np.bincount(distance, counts[: len(distance)]))
    return low + background * step, low + otsu * step, noise * step


def _background(counts: NDArray[np.intp]) -> int:
    """Return the most frequent dark level: the median within the fullest of 64 wide bins."""
    width = -(-len(counts) // 64)
    wide = np.add.reduceat(counts, np.arange(0, len(counts), width))
    start = int(np.argmax(wide)) * width
    return start + _median(counts[start : start + width])


def _median(counts: NDArray[np.number]) -> int:
    """Return the median of the numbers 0, 1, ... that occur so many times."""
    return int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))


def _disc(radius: int) -> NDArray[np.uint8]:
    disc: NDArray[np.uint8] = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)
    )
    return disc


def _tissue(image: Image, level: float) -> Mask:
    """Return the largest region above a level, without thin connections."""
    above = cv2.morphologyEx((image > level).astype(np.uint8), cv2.MORPH_OPEN, _disc(2))
    count, labels = cv2.connectedComponents(above, connectivity=4)
    if count < 2:
        raise NotABreastError("no region stands out of the background")
    mask: Mask = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return mask


def _clear_white_edges(image: Image, background: float, level: float) -> None:
    """Set rows at the top and the bottom that are bright from side to side to background.

    The breast leaves part of a row dark. Where it does not, more rows than an edge can
    have are bright, and they are kept.
    """
    limit = max(round(_EDGE_ROWS * len(image)), 1)
    slack = max(round(_EDGE_SLACK * len(image)), 1)
    for rows in (image, image[::-1]):
        dimmest = np.percentile(rows[: limit + 2], 10, axis=1)
        thickness = int(np.argmin(np.append(dimmest > level, False)))
        if 0 < thickness <= limit:
            rows[: thickness + slack] = background


def _clear_leaking_light(
    image: Image, background: float, level: float, otsu: float, tissue: Mask
) -> bool:
    """Set light along the chest wall above and below the breast to background.

    Such light is dim, fades, and reaches equally far from the chest wall everywhere; the
    breast begins where the reach grows. The skin of the trunk is bright or does not fade.
    """
    flip = chest_wall_side(tissue) == "right"
    oriented, mask = (image[:, ::-1], tissue[:, ::-1]) if flip else (image, tissue)
    widest, shortest = round(_LEAK_COLUMNS * mask.shape[1]), _LEAK_ROWS * len(mask)
    reach = _run_lengths(mask)
    near, far = (oriented[np.arange(len(mask)), reach * eighths // 8] for eighths in (1, 6))
    light = (near < otsu) & (far - background < _LEAK_FALL * (near - background))
    extent = np.minimum(_run_lengths(oriented > level), 2 * widest)
    found = False
    for rows in (slice(None), slice(None, None, -1)):
        reaches = reach[rows][: int(np.argmax(np.append(reach[rows] > widest, True)))]
        outer = reaches[: max(len(reaches) // 2, 1)]
        usual = float(np.median(outer[outer > 0])) if outer.any() else 0.0
        leak = (reaches > 0) & (reaches <= usual + _LEAK_STEP) & light[rows][: len(reaches)]
        if leak.sum() >= shortest:
            for row in np.flatnonzero(leak):
                oriented[rows][row, : extent[rows][row]] = background
            found = True
    return found


def _run_lengths(mask: Mask) -> NDArray[np.intp]:
    """Return how many leading columns of each row are set."""
    lengths: NDArray[np.intp] = np.where(mask.all(1), mask.shape[1], np.argmin(mask, axis=1))
    return lengths


def _with_skin(image: Image, level: float, tissue: Mask) -> Mask:
    """Grow the tissue into what is faint but above a level, and fill holes."""
    reach = max(round(_SKIN_REACH * min(image.shape)), 1)
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    near = cv2.dilate(tissue.astype(np.uint8), square) > 0
    faint = cv2.morphologyEx((image > level).astype(np.uint8), cv2.MORPH_OPEN, _disc(1)) > 0
    candidates = (tissue | (near & faint)).astype(np.uint8)
    _, labels = cv2.connectedComponents(candidates, connectivity=4)
    grown = (labels == labels[tissue][0]).astype(np.uint8)
    outlines, _ = cv2.findContours(grown, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(grown, outlines, -1, 1, cv2.FILLED)
    mask: Mask = cv2.dilate(filled, _disc(1)) > 0
    return mask


def _check(tissue: Mask) -> None:
    share = float(tissue.mean())
    if not _AREA[0] <= share <= _AREA[1]:
        raise NotABreastError("the region that stands out is too small or too large")
    outlines, _ = cv2.findContours(
        tissue.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    hull = cv2.contourArea(cv2.convexHull(outlines[0]))
    if cv2.contourArea(outlines[0]) < _SOLIDITY * hull:
        raise NotABreastError("the region that stands out is ragged")
    top_or_bottom = max(tissue[0].mean(), tissue[-1].mean())
    side = max(tissue[:, 0].mean(), tissue[:, -1].mean())
    if min(top_or_bottom, side) > _WHOLE_BORDER:
        raise NotABreastError("the background is bright, or there is none")
