"""Lesions that lie in files of their own: from masks to places in the source image."""

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.outlines import Mask, drop_specks, mask_box, trace_outline
from mammography.preparation.decoding.decode import read_stored_pixels
from mammography.preparation.decoding.files import plain_format, read_plain_pixels
from mammography.preparation.rejection import (
    RejectedImage,
    TemporaryRejection,
    any_error_rejects,
)

Place = dict[str, Any]

ABSENT = "mask of a finding does not exist"
MANY_VALUES = "mask of a finding has more than two values"
EMPTY = "mask of a finding is empty"
LARGE = "mask of a finding covers more than half of the image"
OTHER_SHAPE = "mask of a finding has another shape than the image"
SCALED = "mask of a finding has another size than the image and was scaled"
SPECKS = "specks in the mask of a finding were left out"

_BETWEEN = 0.01  # Share of pixels that are neither: the edges of a mask that was scaled.
_LARGEST = 0.5  # Share of the image.
_SHAPE = 0.001  # The scales of height and width may differ by so much: rounding to pixels.


@dataclass(frozen=True)
class FoundFindings:
    """What the masks of one image hold.

    Attributes:
        places: For each mask ``box`` and ``outline`` in pixels of the source, as plain
            values for JSON; none where there is nothing to take.
        doubts: What is odd, once for each mask that it is odd of.
        is_final: False if the machine was to blame for a mask that could not be read.
    """

    places: list[Place | None]
    doubts: list[str]
    is_final: bool


class _NoMaskError(ValueError):
    """A file is no mask of a finding.

    Attributes:
        rank: How much it is like one; of several files the one of highest rank tells why.
        is_final: Whether the file is to blame and not the machine.
    """

    def __init__(self, rank: int, reason: str, is_final: bool = True) -> None:
        super().__init__(reason)
        self.rank = rank
        self.is_final = is_final


@dataclass(frozen=True)
class _MaskFile:
    """A mask, and by how much it is smaller than the image along rows and columns."""

    mask: Mask
    scale_hw: tuple[float, float]

    @property
    def fits(self) -> bool:
        return self.scale_hw == (1.0, 1.0)


def find_findings(masks: Iterable[Sequence[Path]], size_hw: tuple[int, int]) -> FoundFindings:
    """Read the masks of an image and find where they place their lesions.

    A mask has two values, the higher one where the lesion is, and the size of the image.
    One whose height and width differ from it by the same factor is scaled, which is
    doubted. Values in between are admitted for up to one pixel in a hundred, since masks
    that were scaled have soft edges; the middle counts as the edge. Several parts make one
    finding, whose box holds them all and whose outline joins them, but for specks of less
    than a hundredth of the largest part. A mask that cannot be used is a doubt: the image
    is prepared without it.

    Args:
        masks: For each lesion the files of which one is its mask. The first that has the
            size of the image is taken, else the first that can be scaled.
        size_hw: Rows and columns of the image in the source.
    """
    places: list[Place | None] = []
    doubts: list[str] = []
    is_final = True
    for paths in masks:
        chosen, failures = _choose(paths, size_hw)
        is_final &= all(failure.is_final for failure in failures)
        if chosen is None:
            places.append(None)
            doubts.append(str(max(failures, key=lambda failure: failure.rank)))
            continue
        mask, specks = drop_specks(chosen.mask)
        places.append(_place(mask, chosen.scale_hw))
        doubts += [SCALED] * (not chosen.fits) + [SPECKS] * (specks > 0)
    return FoundFindings(places, doubts, is_final)


def _choose(
    paths: Sequence[Path], size_hw: tuple[int, int]
) -> tuple[_MaskFile | None, list[_NoMaskError]]:
    """Return the file that is the mask, and why the others are none."""
    failures, scaled = [], None
    for path in paths:
        try:
            file = _read(path, size_hw)
        except _NoMaskError as error:
            failures.append(error)
            continue
        if file.fits:
            return file, failures
        scaled = scaled or file
    return scaled, failures


def _read(path: Path, size_hw: tuple[int, int]) -> _MaskFile:
    if not os.path.isfile(path):  # noqa: PTH113 - that of Path raises where it may not look
        raise _NoMaskError(0, ABSENT)
    try:
        with any_error_rejects():
            pixels = _read_pixels(path)
    except RejectedImage as error:
        is_final = not isinstance(error, TemporaryRejection)
        raise _NoMaskError(1, f"mask of a finding: {error}", is_final) from error
    mask = _two_values(pixels)
    rows, columns = size_hw[0] / mask.shape[0], size_hw[1] / mask.shape[1]
    if abs(rows / columns - 1) > _SHAPE:
        raise _NoMaskError(5, OTHER_SHAPE)
    return _MaskFile(mask, (rows, columns))


def _read_pixels(path: Path) -> NDArray[Any]:
    """Return values that are high where the lesion is."""
    if plain_format(path) is not None:
        return read_plain_pixels(path)
    dataset, pixels = read_stored_pixels(path)[:2]
    return ~pixels if dataset.PhotometricInterpretation == "MONOCHROME1" else pixels


def _two_values(pixels: NDArray[Any]) -> Mask:
    low, high = pixels.min(), pixels.max()
    if low == high:
        raise _NoMaskError(3, EMPTY)
    between = pixels.size - np.count_nonzero(pixels == low) - np.count_nonzero(pixels == high)
    if between > _BETWEEN * pixels.size:
        raise _NoMaskError(2, MANY_VALUES)
    middle = (low.item() + high.item()) / 2
    # Whole numbers are compared many times faster with one of their own type.
    level = pixels.dtype.type(middle if pixels.dtype.kind == "f" else math.floor(middle))
    mask: Mask = pixels > level
    if np.count_nonzero(mask) > _LARGEST * mask.size:
        raise _NoMaskError(4, LARGE)
    return mask


def _place(mask: Mask, scale_hw: tuple[float, float]) -> Place:
    scale = np.array([scale_hw[1], scale_hw[0]])
    box = (np.reshape(mask_box(mask), (2, 2)) * scale).ravel()
    return {"box": box.tolist(), "outline": (trace_outline(mask) * scale).tolist()}
