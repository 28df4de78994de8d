"""One mammogram, from its file to the pixels that are kept."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast import Breast
from mammography.functional.breast_mask import Side
from mammography.preparation.decoding.limits import check_size
from mammography.preparation.grey import grey_maps, grey_part
from mammography.preparation.headers.header import Header
from mammography.preparation.locate import chest_wall_of, locate
from mammography.preparation.options import PreparationOptions
from mammography.preparation.reading import Picture, read_picture
from mammography.preparation.rejection import RejectedImage
from mammography.structures.geometry import ImageGeometry
from mammography.terms import Laterality, ViewModifier, ViewPosition

__all__ = ["PreparationOptions", "PreparedImage", "RejectedImage", "prepare_image"]

Pixels = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """A mammogram ready to be written; nothing in it tells who the patient is.

    The facts are plain values for JSON, none where the file does not tell:

    - the file: ``file_format``, ``transfer_syntax``, ``lossy``, ``bits_allocated``,
      ``bits_stored``, ``frames``, ``frame_taken`` (index from 0; none of a projection of all),
      ``reduced`` (how often its resolution was halved as it was decoded);
    - the image: ``image_kind`` and ``image_kind_source`` (an attribute; none where nothing
      speaks against a mammogram), ``presentation_intent``, ``raw_values`` (what was made of
      values for processing: ``kept``, or ``log`` taken), ``implant``, ``overlays`` (planes
      that were left out), ``burned_in_annotation``;
    - its side and view: ``laterality_source`` and ``view_source`` (an attribute, or
      ``given``), ``view_modifiers``, ``chest_wall``, ``spacing_source``;
    - its grey: ``photometric``, ``dense_values`` (``low`` or ``high``) and
      ``dense_values_source`` (an attribute, or ``picture``), ``voi``;
    - ``doubts``, a list of what is odd.

    Attributes:
        pixels: 16-bit grey of (H, W), bright where dense; outside the breast exactly 0,
            inside at least 1.
        geometry: Where the pixels lie in the source.
        laterality: Side of the breast.
        view_position: Projection.
        manufacturer: Maker of the machine.
        pixel_spacing_mm: Size of a pixel as (row, column).
        facts: What was found and done.
        read_seconds: How long it took to read and decode the file.
    """

    pixels: Pixels
    geometry: ImageGeometry
    laterality: Laterality | None
    view_position: ViewPosition | None
    manufacturer: str | None
    pixel_spacing_mm: tuple[float, float] | None
    facts: dict[str, Any]
    read_seconds: float = 0.0


def prepare_image(
    path: str | Path,
    laterality: Laterality | None = None,
    view_position: ViewPosition | None = None,
    options: PreparationOptions | None = None,
    view_modifiers: Iterable[ViewModifier] = (),
    pixel_spacing_mm: tuple[float, float] | None = None,
) -> PreparedImage:
    """Read a mammogram, find the breast, and return its grey without anything around it.

    The breast is found in modality values, before a window can clip it. The grey is made at
    full resolution and then scaled; the mask cuts last, so that its outline is sharp and
    the outside exactly 0.

    Args:
        path: DICOM, PNG, NPY, TIFF or PGM file.
        laterality: Side of the breast; overrides the header.
        view_position: Projection; overrides the header.
        options: How to prepare.
        view_modifiers: What changes the view, beside what the header tells. A spot or
            magnification view may be filled by the breast.
        pixel_spacing_mm: Size of a pixel of the file as (row, column); overrides the header.

    Raises:
        RejectedImage: If the file cannot be read, shows no breast, or lacks what the
            options need; the text is the reason.
    """
    options = options or PreparationOptions()
    given = {
        "laterality_source": laterality,
        "view_source": view_position,
        "spacing_source": pixel_spacing_mm,
    }
    modifiers = tuple(view_modifiers)
    start = time.perf_counter()
    picture = read_picture(Path(path), options, modifiers)
    read_seconds = time.perf_counter() - start
    laterality = laterality or picture.header.laterality
    view_position = view_position or picture.header.view_position
    if laterality is None and options.require_laterality:
        raise RejectedImage("unknown laterality")
    modifiers = tuple(sorted({*picture.header.view_modifiers, *modifiers}))
    located = locate(picture.stored, picture.header, options, laterality, modifiers)
    breast, header = located.breast, located.header
    to_grey, voi, doubts = grey_maps(picture.stored, header, breast, options)
    part = breast.box(_margin(picture, breast, options))
    crop = _centred(grey_part(picture.stored, part, header, breast, to_grey), picture)
    box = picture.box_in_file(part)
    full_hw = box[3] - box[1], box[2] - box[0]
    spacing = pixel_spacing_mm or header.pixel_spacing_mm
    size_hw = _scaled_size(full_hw, spacing, options)
    scale_hw = size_hw[0] / full_hw[0], size_hw[1] / full_hw[1]
    pixels = _resize(crop, size_hw)
    if not options.keep_background:
        inside = breast.mask_in(part, size_hw).view(np.uint8)
        pixels = cv2.copyTo(cv2.max(pixels, 1), inside)
    pixels, flipped, offset_hw = _place(pixels, breast.chest_wall, options)
    doubts = [*header.doubts, *located.doubts, *doubts]
    doubts += _doubts(header, breast, laterality, view_position, options)
    return PreparedImage(
        pixels,
        ImageGeometry(picture.size_hw, box, scale_hw, flipped, offset_hw),
        laterality,
        view_position,
        header.manufacturer,
        spacing and (spacing[0] / scale_hw[0], spacing[1] / scale_hw[1]),
        header.facts
        | {source: "given" for source, value in given.items() if value}
        | {"view_modifiers": list(modifiers), "voi": voi, "chest_wall": breast.chest_wall}
        | {"doubts": doubts},
        read_seconds,
    )


def _doubts(
    header: Header,
    breast: Breast,
    laterality: Laterality | None,
    view_position: ViewPosition | None,
    options: PreparationOptions,
) -> list[str]:
    """Say what does not fit together, or is not known."""
    is_dicom = header.facts["file_format"] == "DICOM"
    wall = laterality and chest_wall_of(laterality)
    found = {
        "the given laterality contradicts the header": header.laterality not in (None, laterality),
        "the given view contradicts the header": header.view_position not in (None, view_position),
        "the view is unknown": is_dicom and view_position is None,
        "the chest wall lies on the side of the other breast": wall
        not in (None, breast.chest_wall),
        "text may be burnt into the background that was kept": options.keep_background
        and header.facts["burned_in_annotation"] is True,
    }
    return [doubt for doubt, holds in found.items() if holds]


def _margin(picture: Picture, breast: Breast, options: PreparationOptions) -> int:
    """Return how much is kept around the breast, in pixels as they were read."""
    if options.margin_px is None:
        return 2 * breast.factor
    return -(-options.margin_px // picture.factor)


def _centred(pixels: Pixels, picture: Picture) -> Pixels:
    """Move pixels of a halved picture to the middle of those that they stand for.

    A decoder that halves keeps the place of the first one; unmoved, the picture would lie
    up to half of its pixels off.
    """
    shift = 0.5 - 0.5 / picture.factor
    if not shift:
        return pixels
    moved: Pixels = cv2.warpAffine(
        pixels,
        np.array([[1, 0, shift], [0, 1, shift]]),
        pixels.shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return moved


def _scaled_size(
    size_hw: tuple[int, int], spacing: tuple[float, float] | None, options: PreparationOptions
) -> tuple[int, int]:
    height, width = size_hw
    if options.spacing_mm:
        if spacing is None:
            raise RejectedImage("no pixel spacing")
        row, column = (side / options.spacing_mm for side in spacing)
    elif options.size_hw:
        row = column = min(options.size_hw[0] / height, options.size_hw[1] / width)
    else:
        row = column = 1.0
    scaled = max(round(height * row), 1), max(round(width * column), 1)
    check_size(*scaled)  # Of a spacing that is hundreds of times as wide as it is to be.
    return scaled


def _resize(pixels: Pixels, size_hw: tuple[int, int]) -> Pixels:
    if pixels.shape == size_hw:
        return pixels
    smaller = size_hw[0] < pixels.shape[0]
    resized: Pixels = cv2.resize(
        pixels,
        (size_hw[1], size_hw[0]),  # OpenCV takes (width, height).
        interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR,
    )
    return resized


def _place(
    pixels: Pixels, chest_wall: Side, options: PreparationOptions
) -> tuple[Pixels, bool, tuple[int, int]]:
    """Mirror if asked and pad to the size asked for; return also whether and how far."""
    flipped = options.flip_to is not None and chest_wall != chest_wall_of(options.flip_to)
    pixels = np.ascontiguousarray(pixels[:, ::-1]) if flipped else pixels
    if options.size_hw is None:
        return pixels, flipped, (0, 0)
    height, width = options.size_hw
    at_left = (chest_wall == "left") != flipped
    top = (height - pixels.shape[0]) // 2
    left = 0 if at_left else width - pixels.shape[1]
    canvas = np.zeros(options.size_hw, np.uint16)
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas, flipped, (top, left)
