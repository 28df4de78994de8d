"""Where the breast lies in stored values, whatever their sense and however much it fills."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast import LOW_RESOLUTION, Breast, find_breast, subsample
from mammography.functional.breast_mask import Mask, NotABreastError, Side
from mammography.preparation.grey import (
    density_maps,
    is_padding,
    value_range,
    without_padding,
)
from mammography.preparation.headers.header import Header
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.terms import Laterality, ViewModifier

_FILLING = {ViewModifier.SPOT_COMPRESSION, ViewModifier.MAGNIFICATION}
_EDGE = 0.02  # Columns at either side of which one shows air, of the width; as many are dead.
_AIR = 0.1  # Values nearer to that of air are air, of their range.
_VARIES = 0.1  # Padding does not vary more, of the range of the values.
# The middle half of a background spans no more, of the way from there to the tissue: in 65 of 66
# real films it does not; in squares cut out of their breasts it always does.
_EVEN = 0.06

_INVERSE = "the values are inverse to what the header says"
_UNEVEN = "the background is uneven: some of it may be breast"
_FILLED = "the breast fills the frame: nothing was cut away"


@dataclass(frozen=True, eq=False)
class Located:
    """A breast in stored values.

    Attributes:
        breast: Where it lies.
        header: The header, with the sense of the values that the picture shows.
        doubts: What is odd.
    """

    breast: Breast
    header: Header
    doubts: list[str]


def locate(
    stored: NDArray[Any],
    header: Header,
    options: PreparationOptions,
    laterality: Laterality | None,
    modifiers: Collection[ViewModifier] = (),
) -> Located:
    """Find the breast.

    Spot and magnification views may show nothing but breast; then all is kept but padding.
    They seldom show the chest wall: its side is that of the laterality. Values for
    processing whose sense the header does not tell, or tells wrong, are tried both ways.

    Raises:
        RejectedImage: If there is no breast.
    """
    doubts: list[str] = []
    if header.padding and _varies(stored, header.padding):
        header = replace(header, padding=None)
        doubts.append("padding values occur all over the image and were ignored")
    may_fill = bool(_FILLING & set(modifiers))
    located = _first_found(stored, header, options, may_fill)
    located = replace(located, doubts=doubts + located.doubts)
    if may_fill and laterality:
        breast = replace(located.breast, chest_wall=chest_wall_of(laterality))
        return replace(located, breast=breast)
    return located


def chest_wall_of(laterality: Laterality) -> Side:
    """Return the side of the image where the chest wall of a breast lies by convention."""
    return "left" if laterality is Laterality.LEFT else "right"


def _varies(stored: NDArray[Any], padding: tuple[float, float]) -> bool:
    """Whether values that are said to be padding are too many to be that."""
    step = max(max(stored.shape) // LOW_RESOLUTION, 1)
    small = stored[::step, ::step]
    padded = small[is_padding(small, padding)]
    if padding[0] == padding[1] or not padded.size:
        return False
    spreads = [np.ptp(np.percentile(values, (5, 95))) for values in (padded, small)]
    return bool(spreads[0] > _VARIES * spreads[1])


def _first_found(
    stored: NDArray[Any], header: Header, options: PreparationOptions, may_fill: bool
) -> Located:
    """Take the first sense of the values in which a breast lies before a background.

    Without a background it is the first in which there is a breast, unless the breast may
    fill the frame.
    """
    candidates = _senses(stored, header)[: 1 if may_fill else 2]
    reasons, uneven = [], []
    for candidate in candidates:
        inverse = candidate is not candidates[0] and header.raw and header.raw.sense_source
        doubts = [_INVERSE] if inverse else []
        try:
            breast = _find(stored, candidate, options)
        except NotABreastError as error:
            reasons.append(error)
            continue
        if _has_background(stored, candidate, options, breast):
            return Located(breast, candidate, doubts)
        uneven.append(Located(breast, candidate, [*doubts, _UNEVEN]))
    if may_fill:
        return Located(_whole_frame(stored, candidates[0]), candidates[0], [_FILLED])
    if not uneven:
        raise RejectedImage(f"not a breast: {reasons[0]}") from reasons[0]
    return uneven[0]


def _find(stored: NDArray[Any], header: Header, options: PreparationOptions) -> Breast:
    density = density_maps(stored, header, options)
    if not header.implant:
        return find_breast(stored, lambda values: without_padding(values, header, density))
    # An implant outshines the breast so far that a threshold would part them.
    cap = _otsu(without_padding(subsample(stored)[0], header, density))
    return find_breast(
        stored, lambda values: np.minimum(without_padding(values, header, density), cap)
    )


def _otsu(values: NDArray[np.float64]) -> float:
    """Return the level that parts values into dark and bright ones."""
    low, high = float(values.min()), float(values.max())
    if low == high:
        return high
    grey = ((values - low) * (255 / (high - low))).astype(np.uint8)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return low + (float(level) + 1) * (high - low) / 255


def _senses(stored: NDArray[Any], header: Header) -> list[Header]:
    """Return the header with the likely sense of its values, then with the other."""
    if header.raw is None:
        return [header]
    usual = header
    if header.raw.sense_source is None:
        usual = _with_sense(header, _air_is_bright(stored, header))
    senses = [usual, _with_sense(header, not usual.inverted)]
    return [_without_dead_pixels(stored, sense) for sense in senses]


def _without_dead_pixels(stored: NDArray[Any], header: Header) -> Header:
    """Count what no ray has reached as padding: it is not dense, it is no part of the image."""
    dead = float(value_range(stored, header)[0 if header.inverted else 1])
    return header if header.padding else replace(header, padding=(dead, dead))


def _with_sense(header: Header, inverted: bool) -> Header:
    """Return the header with the sense that the picture shows."""
    facts = {"dense_values": "low" if inverted else "high", "dense_values_source": "picture"}
    return replace(header, inverted=inverted, facts=header.facts | facts)


def _air_is_bright(stored: NDArray[Any], header: Header) -> bool:
    """Whether air has high values: it fills one side of the picture, and it is even."""
    try:
        small, _ = subsample(stored)
    except NotABreastError:
        return header.inverted
    values = small.astype(np.float64)
    width = max(round(_EDGE * values.shape[1]), 1)
    edges = [values[:, width : 2 * width], values[:, -2 * width : -width]]
    air = np.median(min(edges, key=lambda edge: float(np.ptp(np.percentile(edge, (5, 95))))))
    low, high = np.percentile(values, (1, 99))
    far = values[np.abs(values - air) > _AIR * (high - low)]
    return bool(np.mean(far < air) > 0.5) if far.size else header.inverted


def _has_background(
    stored: NDArray[Any], header: Header, options: PreparationOptions, breast: Breast
) -> bool:
    """Whether what lies around the breast is even, as air or a collimator.

    Where all is breast, a threshold parts fat from gland, and fat is not even.
    """
    density = density_maps(stored, header, options)
    values = without_padding(subsample(stored)[0], header, density)
    outside = values[~breast.mask]
    if not outside.size:
        return False
    low, middle, high = np.percentile(outside, (25, 50, 75))
    return bool(high - low <= _EVEN * (np.median(values[breast.tissue]) - middle))


def _whole_frame(stored: NDArray[Any], header: Header) -> Breast:
    try:
        small, factor = subsample(stored)
    except NotABreastError as error:
        raise RejectedImage(f"not a breast: {error}") from error
    mask: Mask = np.ones(small.shape, np.bool_)
    if header.padding:
        mask = ~is_padding(small, header.padding)
    if not mask.any():
        raise RejectedImage("not a breast: all of the image is padding")
    size_hw = (stored.shape[0], stored.shape[1])
    return Breast(mask, mask, factor, size_hw, "left")
