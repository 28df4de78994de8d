"""One mammogram, from its file to the pixels that are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast import Breast, find_breast
from mammography.functional.breast_mask import NotABreastError, Side
from mammography.preparation.decode import read_stored_pixels
from mammography.preparation.files import plain_format, read_plain_pixels
from mammography.preparation.grey import density_maps, grey_maps, grey_part, without_padding
from mammography.preparation.header import Header, plain_header, read_header
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.structures.geometry import ImageGeometry
from mammography.terms import Laterality, ViewPosition

__all__ = ["PreparationOptions", "PreparedImage", "RejectedImage", "prepare_image"]

Pixels = NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """A mammogram ready to be written; nothing in it tells who the patient is.

    Attributes:
        pixels: 16-bit grey of (H, W), bright where dense; outside the breast exactly 0,
            inside at least 1.
        geometry: Where the pixels lie in the source.
        laterality: Side of the breast.
        view_position: Projection.
        manufacturer: Maker of the machine.
        pixel_spacing_mm: Size of a pixel as (row, column).
        facts: What was found and done, as plain values for JSON: ``file_format``,
            ``photometric``, ``bits_allocated``, ``bits_stored``, ``transfer_syntax``,
            ``presentation_intent``, ``lossy``, ``laterality_source`` and ``view_source`` (an
            attribute, or ``given``), ``view_modifiers``, ``spacing_source``, ``voi``,
            ``chest_wall`` and ``doubts``, a list of what is odd.
    """

    pixels: Pixels
    geometry: ImageGeometry
    laterality: Laterality | None
    view_position: ViewPosition | None
    manufacturer: str | None
    pixel_spacing_mm: tuple[float, float] | None
    facts: dict[str, Any]


def prepare_image(
    path: str | Path,
    laterality: Laterality | None = None,
    view_position: ViewPosition | None = None,
    options: PreparationOptions | None = None,
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

    Raises:
        RejectedImage: If the file cannot be read, shows no breast, or lacks what the
            options need; the text is the reason.
    """
    options = options or PreparationOptions()
    stored, header = read_image(Path(path), options)
    given = {"laterality_source": laterality, "view_source": view_position}
    laterality = laterality or header.laterality
    if laterality is None and options.require_laterality:
        raise RejectedImage("unknown laterality")
    breast = _find(stored, header)
    to_grey, voi, doubts = grey_maps(stored, header, breast, options)
    if header.laterality not in (None, laterality):
        doubts.append("the given laterality contradicts the header")
    if laterality and breast.chest_wall != _chest_wall_of(laterality):
        doubts.append("the chest wall lies on the side of the other breast")
    margin = 2 * breast.factor if options.margin_px is None else options.margin_px
    box = breast.box(margin)
    crop = grey_part(stored, box, header, breast, to_grey)
    size_hw = _scaled_size((crop.shape[0], crop.shape[1]), header, options)
    scale_hw = size_hw[0] / crop.shape[0], size_hw[1] / crop.shape[1]
    pixels = _resize(crop, size_hw)
    if not options.keep_background:
        inside = breast.mask_in(box, size_hw).view(np.uint8)
        pixels = cv2.copyTo(cv2.max(pixels, 1), inside)
    pixels, flipped, offset_hw = _place(pixels, breast.chest_wall, options)
    spacing = header.pixel_spacing_mm
    return PreparedImage(
        pixels,
        ImageGeometry(breast.size_hw, box, scale_hw, flipped, offset_hw),
        laterality,
        view_position or header.view_position,
        header.manufacturer,
        spacing and (spacing[0] / scale_hw[0], spacing[1] / scale_hw[1]),
        header.facts
        | {source: "given" for source, value in given.items() if value}
        | {"voi": voi, "chest_wall": breast.chest_wall, "doubts": header.doubts + doubts},
    )


def read_image(path: Path, options: PreparationOptions) -> tuple[NDArray[Any], Header]:
    """Return the values that a file stores, and what it says about them.

    Raises:
        RejectedImage: If the file cannot be read.
    """
    name = plain_format(path)
    if name is not None:
        pixels = read_plain_pixels(path)
        return pixels, plain_header(name, 8 * pixels.itemsize)
    dataset, stored = read_stored_pixels(path)
    return stored, read_header(dataset, options.window_index)


def _find(stored: NDArray[Any], header: Header) -> Breast:
    density = density_maps(stored, header)
    try:
        return find_breast(stored, lambda values: without_padding(values, header, density))
    except NotABreastError as error:
        raise RejectedImage(f"not a breast: {error}") from error


def _chest_wall_of(laterality: Laterality) -> Side:
    """Return the side of the image where the chest wall of a breast lies by convention."""
    return "left" if laterality is Laterality.LEFT else "right"


def _scaled_size(
    size_hw: tuple[int, int], header: Header, options: PreparationOptions
) -> tuple[int, int]:
    height, width = size_hw
    if options.spacing_mm:
        if header.pixel_spacing_mm is None:
            raise RejectedImage("no pixel spacing")
        row, column = (spacing / options.spacing_mm for spacing in header.pixel_spacing_mm)
    elif options.size_hw:
        row = column = min(options.size_hw[0] / height, options.size_hw[1] / width)
    else:
        row = column = 1.0
    return max(round(height * row), 1), max(round(width * column), 1)


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
    flipped = options.flip_to is not None and chest_wall != _chest_wall_of(options.flip_to)
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
