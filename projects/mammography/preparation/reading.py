"""The values that a file stores, at the resolution that is needed, and what it says of them."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mammography.preparation.decoding.decode import StoredImage, read_dataset, read_stored_pixels
from mammography.preparation.decoding.files import plain_format, read_plain_pixels
from mammography.preparation.grey import takes_logarithm
from mammography.preparation.headers.header import Header, plain_header, read_header, windows_differ
from mammography.preparation.locate import locate
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.terms import ImageKind, ViewModifier

_MOST_HALVINGS = 3


@dataclass(frozen=True, eq=False)
class Picture:
    """What a file stores.

    Attributes:
        stored: Values of (h, w), possibly fewer than the file has.
        header: What the file says about them.
        size_hw: Rows and columns of the file.
        halvings: How many times the rows and columns were halved.
    """

    stored: NDArray[Any]
    header: Header
    size_hw: tuple[int, int]
    halvings: int = 0

    @property
    def factor(self) -> int:
        """Rows and columns of the file per row and column that was read."""
        return int(2**self.halvings)

    def box_in_file(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """Return a box, left, top, right, bottom, in pixels of the file."""
        left, top, right, bottom = (end * self.factor for end in box)
        # The last row and column that were read may stand for fewer ones.
        return left, top, min(right, self.size_hw[1]), min(bottom, self.size_hw[0])


def read_picture(
    path: Path, options: PreparationOptions, modifiers: tuple[ViewModifier, ...] = ()
) -> Picture:
    """Read a DICOM, PNG, NPY, TIFF or PGM file.

    Args:
        path: The file.
        options: How the image is to be prepared.
        modifiers: What changes the view, of which the header may not know.

    Raises:
        RejectedImage: If the file cannot be read.
    """
    name = plain_format(path)
    if name is not None:
        pixels = read_plain_pixels(path)
        header = plain_header(name, 8 * pixels.itemsize)
        return Picture(pixels, header, (pixels.shape[0], pixels.shape[1]))
    if options.reduce_jpeg2000 and (options.spacing_mm or options.size_hw):
        return _read_coarsely(path, options, modifiers)
    return _read(path, options, 0)


def _read(path: Path, options: PreparationOptions, reduce: int) -> Picture:
    stored = read_stored_pixels(path, options.frames, reduce)
    header = read_header(stored.dataset, options.window_index, stored.frame)
    if header.raw and options.for_processing == "refuse":
        raise RejectedImage("pixels are for processing")
    facts: dict[str, Any] = {
        "frames": stored.frames,
        "frame_taken": stored.frame,
        "reduced": stored.halvings,
    }
    if header.raw:
        facts["raw_values"] = "log" if takes_logarithm(header, options) else "kept"
    header = replace(
        header, facts=header.facts | facts, doubts=header.doubts + _doubts(stored, header)
    )
    size_hw = int(stored.dataset.Rows), int(stored.dataset.Columns)
    return Picture(stored.pixels, header, size_hw, stored.halvings)


def _doubts(stored: StoredImage, header: Header) -> list[str]:
    """Say what is odd about the pixel data, and what stands for a volume."""
    return [*stored.doubts, *_volume_doubts(stored, header)]


def _volume_doubts(stored: StoredImage, header: Header) -> list[str]:
    if stored.frame is None:
        doubts = ["the image is a projection of a volume"]
        if header.voi and windows_differ(stored.dataset, stored.frames):
            doubts.append("the window of the middle slice was taken, others have another one")
        return doubts
    is_volume = header.facts["image_kind"] is ImageKind.TOMOSYNTHESIS
    return ["the image is one slice of a volume"] if is_volume else []


def _read_coarsely(
    path: Path, options: PreparationOptions, modifiers: tuple[ViewModifier, ...]
) -> Picture:
    """Read at half the resolution or less if the prepared image has no more.

    For a size the breast must be known, which a very coarse picture tells; it costs a
    hundredth of the time. Where it does not tell, all is read.
    """
    if options.spacing_mm:
        scale = _scale_to_spacing(path, options)
        return _read(path, options, _halvings(scale))
    coarse = _read(path, options, _MOST_HALVINGS)
    if not coarse.halvings:
        return coarse
    try:
        breast = locate(coarse.stored, coarse.header, options, None, modifiers).breast
    except RejectedImage:
        return _read(path, options, 0)
    left, top, right, bottom = coarse.box_in_file(breast.box(2 * breast.factor))
    height, width = options.size_hw or (0, 0)
    halvings = _halvings(min(height / (bottom - top), width / (right - left)))
    return coarse if halvings == coarse.halvings else _read(path, options, halvings)


def _scale_to_spacing(path: Path, options: PreparationOptions) -> float:
    header = read_header(read_dataset(path), options.window_index)
    if header.pixel_spacing_mm is None or options.spacing_mm is None:
        return 1.0
    return max(header.pixel_spacing_mm) / options.spacing_mm


def _halvings(scale: float) -> int:
    """Return how often a picture can be halved that is scaled afterwards."""
    return min(max(math.floor(-math.log2(scale) + 1e-9), 0), _MOST_HALVINGS)
