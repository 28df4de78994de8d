"""Pixels of image files that are not DICOM: PNG, NPY, TIFF, PGM."""

from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mammography.functional.png16 import decode_png16
from mammography.preparation.rejection import RejectedImage, TemporaryRejection

_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262  # Tags of TIFF.
_MAGIC = {
    b"\x89PNG": "PNG",
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
    """Read the grey values of a PNG, NPY, TIFF or PGM file, with all their bits.

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
    except RejectedImage:
        raise
    except Exception as error:  # Each reader has its own errors.
        raise RejectedImage(f"corrupt {name} file") from error
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim != 2:
        raise RejectedImage("colour or multi-frame image")
    if pixels.dtype.kind not in "uif":
        # The names of fields could say anything.
        raise RejectedImage(f"unsupported pixel type {pixels.dtype.name}")
    if not np.isfinite(pixels).all():
        raise RejectedImage("values that are not finite")
    native: NDArray[Any] = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    return native


def _read_bytes(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error


def _read_npy(data: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.load(BytesIO(data), allow_pickle=False)
    return array


def _read_tiff(data: bytes) -> NDArray[Any]:
    with Image.open(BytesIO(data)) as image:
        if getattr(image, "n_frames", 1) != 1:
            raise RejectedImage("colour or multi-frame image")
        white_is_zero = image.tag_v2.get(_PHOTOMETRIC) == 0  # type: ignore[attr-defined]
        bits = int(image.tag_v2.get(_BITS_PER_SAMPLE, (8,))[0])  # type: ignore[attr-defined]
    # Pillow shifts some depths; this one returns the values of the file.
    pixels: NDArray[Any] = imagecodecs.tiff_decode(data)
    if not white_is_zero:
        return pixels
    inverted: NDArray[Any] = ((1 << bits) - 1 - pixels).astype(pixels.dtype)
    return inverted


def _read_pgm(data: bytes) -> NDArray[Any]:
    pixels: NDArray[Any] | None = cv2.imdecode(
        np.frombuffer(data + b"\n", np.uint8), cv2.IMREAD_UNCHANGED
    )
    if pixels is None:
        raise ValueError("OpenCV could not decode it")
    return pixels


_READERS = {"PNG": decode_png16, "NPY": _read_npy, "TIFF": _read_tiff, "PGM": _read_pgm}
