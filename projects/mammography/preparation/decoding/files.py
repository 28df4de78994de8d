"""Pixels of image files that are not DICOM: PNG, JPEG, NPY, TIFF, PGM."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.preparation.decoding.limits import LARGEST
from mammography.preparation.decoding.plain_readers import (
    check_type,
    colours,
    read_jpeg,
    read_npy,
    read_pgm,
    read_png,
    read_tiff,
)
from mammography.preparation.rejection import RejectedImage, TemporaryRejection

_LARGEST_FILE = 8 * LARGEST
_MAGIC = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"\x93NUMPY": "NPY",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"P5": "PGM",
    b"P2": "PGM",
}


def plain_format(path: str | Path) -> str | None:
    """Name the format of a file by its first bytes; None for what may be DICOM.

    Raises:
        RejectedImage: If the file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(132)
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error
    if head[128:] == b"DICM":
        return None
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def read_plain_pixels(path: str | Path) -> NDArray[Any]:
    """Read the grey values of a PNG, JPEG, NPY, TIFF or PGM file, with all their bits.

    A colour PNG or JPEG whose three channels are the same in every pixel is a grey picture.
    A file must hold its picture and all of it, and no other one.

    Shapes:
        returns: (H, W).

    Args:
        path: A file of one of these formats, whatever its suffix.

    Returns:
        Whole numbers of 8 or 16 bits; from NPY and TIFF also real numbers.

    Raises:
        RejectedImage: If the file has another format or is corrupt, or the image has
            colours or several frames.
    """
    name = plain_format(path)
    if name is None:
        raise RejectedImage("unknown file format")
    data = _read_bytes(path)
    try:
        pixels = np.asarray(_READERS[name](data))
    except (RejectedImage, MemoryError):
        raise
    except Exception as error:  # Each reader has its own errors.
        raise RejectedImage(f"corrupt {name} file") from error
    if pixels.ndim == 3 and (pixels.shape[2] == 1 or _is_grey(name, pixels)):
        pixels = pixels[:, :, 0]
    if pixels.ndim != 2:
        raise colours()
    check_type(pixels.dtype)
    if not np.isfinite(pixels).all():
        raise RejectedImage("values that are not finite")
    native: NDArray[Any] = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return native


def _is_grey(name: str, pixels: NDArray[Any]) -> bool:
    """Whether a picture of three colours says the same thrice."""
    if name not in ("PNG", "JPEG") or pixels.shape[2] != 3:
        return False
    first = pixels[:, :, 0]
    return bool((first == pixels[:, :, 1]).all() and (first == pixels[:, :, 2]).all())


def _read_bytes(path: str | Path) -> bytes:
    try:
        if Path(path).stat().st_size > _LARGEST_FILE:
            raise RejectedImage("implausible size")
        return Path(path).read_bytes()
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error


_READERS = {
    "PNG": read_png,
    "JPEG": read_jpeg,
    "NPY": read_npy,
    "TIFF": read_tiff,
    "PGM": read_pgm,
}
