"""Compressed frames to pixels; a frame that is not whole is refused."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import uid

from mammography.preparation.codestream import (
    ends_properly,
    is_whole_jpeg,
    is_whole_jpeg2000,
    jpeg2000_size,
    read_jpeg_header,
)
from mammography.preparation.rejection import RejectedImage

Pixels = NDArray[np.integer]

JPEG = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1}
JPEG_LS = {uid.JPEGLSLossless, uid.JPEGLSNearLossless}
JPEG_2000 = {uid.JPEG2000Lossless, uid.JPEG2000}
HTJ2K = {uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
COMPRESSED = JPEG | JPEG_LS | JPEG_2000 | HTJ2K | {uid.RLELossless}


def decode_frame(
    stream: bytes,
    syntax: uid.UID,
    size_hw: tuple[int, int],
    sample_bytes: int,
    fall_back: Callable[[], Pixels],
) -> Pixels:
    """Decode one grey frame by the fastest exact decoder of its transfer syntax.

    Shapes:
        returns: (H, W).

    Args:
        stream: The frame, out of its capsule.
        syntax: One of ``COMPRESSED``.
        size_hw: Rows and columns that the header states.
        sample_bytes: Bytes per sample that the header states.
        fall_back: Decodes the same frame in another way, where the first decoder has no
            answer to a stream that may be sound.

    Raises:
        RejectedImage: If the stream is cut short, corrupt or of another size.
    """
    if syntax == uid.RLELossless:
        return _decode_rle(stream, size_hw, sample_bytes)
    if not ends_properly(stream):
        raise RejectedImage(f"truncated {syntax.name} stream")
    # Before a decoder allocates what a damaged size asks for.
    coded_size = jpeg2000_size if syntax in JPEG_2000 | HTJ2K else _jpeg_size
    if _or_corrupt(coded_size, stream, syntax.name) != size_hw:
        raise RejectedImage(f"corrupt {syntax.name} stream: its size differs from the header")
    if syntax in JPEG:
        pixels = _decode_jpeg(stream, syntax.name, fall_back)
    elif syntax in HTJ2K:
        pixels = _decode_htj2k(stream, syntax.name, fall_back)
    else:
        # These decoders refuse incomplete streams themselves, and their refusal is final.
        decode = imagecodecs.jpegls_decode if syntax in JPEG_LS else imagecodecs.jpeg2k_decode
        pixels = _or_corrupt(decode, stream, syntax.name)
    if pixels.shape != size_hw:
        raise RejectedImage("colour image")
    return pixels


def _jpeg_size(stream: bytes) -> tuple[int, int]:
    return read_jpeg_header(stream).size_hw


def _or_corrupt(decode: Callable[[bytes], Any], stream: bytes, name: str) -> Any:
    try:
        return decode(stream)
    except Exception as error:  # Each codec has its own error.
        raise RejectedImage(f"corrupt {name} stream") from error


def _decode_jpeg(stream: bytes, name: str, fall_back: Callable[[], Pixels]) -> Pixels:
    try:
        pixels: Pixels = imagecodecs.jpeg8_decode(stream)
    except imagecodecs.Jpeg8Error:
        pixels = fall_back()
    whole = _or_corrupt(
        lambda data: is_whole_jpeg(data, pixels, imagecodecs.jpeg8_decode), stream, name
    )
    if not whole:
        raise RejectedImage(f"truncated {name} stream")
    return pixels


def _decode_htj2k(stream: bytes, name: str, fall_back: Callable[[], Pixels]) -> Pixels:
    if not is_whole_jpeg2000(stream):
        raise RejectedImage(f"truncated {name} stream")
    try:
        with _unraisable_raised():
            pixels: Pixels = imagecodecs.htj2k_decode(stream)
    except (imagecodecs.Htj2kError, ValueError, RuntimeError):
        return fall_back()
    return pixels


@contextmanager
def _unraisable_raised() -> Iterator[None]:
    """Raise what a codec can only print because it happens where nothing may be raised."""
    caught: list[Any] = []
    hooks = sys.unraisablehook, sys.excepthook
    sys.unraisablehook = caught.append
    sys.excepthook = lambda *_: None  # Cython prints by this one before it calls the other.
    try:
        yield
    finally:
        sys.unraisablehook, sys.excepthook = hooks
    if caught:
        raise ValueError(str(caught[0].exc_value))


def _decode_rle(stream: bytes, size_hw: tuple[int, int], sample_bytes: int) -> Pixels:
    """Decode the byte planes of an RLE frame, most significant first.

    References:
        DICOM PS3.5, annex G.
    """
    name, size = uid.RLELossless.name, size_hw[0] * size_hw[1]
    header = np.frombuffer(stream[:64].ljust(64, b"\0"), "<u4").tolist()
    if header[0] != sample_bytes or sample_bytes not in (1, 2):
        raise RejectedImage(f"corrupt {name} stream")
    bounds = [*header[1 : sample_bytes + 1], len(stream)]
    merged = np.empty((size, sample_bytes), np.uint8)
    for plane in range(sample_bytes):
        segment = stream[bounds[plane] : bounds[plane + 1]]
        values = _or_corrupt(imagecodecs.packbits_decode, segment, name)
        if len(values) < size:
            raise RejectedImage(f"truncated {name} stream")
        merged[:, sample_bytes - 1 - plane] = np.frombuffer(values, np.uint8, size)
    return merged.view(f"<u{sample_bytes}").reshape(size_hw)
