"""Compressed frames to samples; a frame that is not whole is refused."""

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from pydicom import uid

from mammography.preparation.decoding.codestream import (
    ends_properly,
    is_whole_jpeg,
    read_jpeg_header,
)
from mammography.preparation.decoding.jpeg2000_codestream import (
    Jpeg2000Header,
    is_plain_htj2k,
    is_whole_jpeg2000,
    read_jpeg2000_header,
)
from mammography.preparation.decoding.jpegxl_codestream import jpegxl_size
from mammography.preparation.rejection import RejectedImage, TemporaryRejection

Pixels = NDArray[np.integer]

_NAMES = {  # Of syntaxes that pydicom does not know yet.
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
}
NATIVE = {
    uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian, uid.ExplicitVRBigEndian,
}  # fmt: skip
ENCAPSULATED_UNCOMPRESSED = uid.UID("1.2.840.10008.1.2.1.98")
DEFLATED_FRAMES = uid.UID("1.2.840.10008.1.2.8.1")
JPEG = {
    uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLosslessSV1,
    uid.UID("1.2.840.10008.1.2.4.53"), uid.UID("1.2.840.10008.1.2.4.55"),  # Retired.
}  # fmt: skip
JPEG_LS = {uid.JPEGLSLossless, uid.JPEGLSNearLossless}
JPEG_2000 = {uid.JPEG2000Lossless, uid.JPEG2000}
HTJ2K = {uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K}
JPEG_XL = {uid.UID(f"1.2.840.10008.1.2.4.11{number}") for number in range(3)}
END_MARKED = JPEG | JPEG_LS | JPEG_2000 | HTJ2K
COMPRESSED = END_MARKED | JPEG_XL | {uid.RLELossless, ENCAPSULATED_UNCOMPRESSED, DEFLATED_FRAMES}

_LONGEST_RUN = 64  # Bytes per byte of RLE: two of them stand for 128.


class Frame(NamedTuple):
    """A decoded frame.

    Attributes:
        samples: What the stream codes, of (H, W).
        precision: Bits of a sample, where the stream says so.
        signed: Whether the stream codes negative numbers, where it says so.
        halvings: How many times the picture was halved.
    """

    samples: Pixels
    precision: int | None = None
    signed: bool | None = None
    halvings: int = 0


def is_known(syntax: str) -> bool:
    """Whether there is a decoder for a transfer syntax."""
    return syntax in NATIVE | COMPRESSED


def name(syntax: str) -> str:
    """Name a transfer syntax of the standard; a private one could hold anything."""
    known = uid.UID(syntax)
    return _NAMES.get(syntax) or (known.name if known.is_transfer_syntax else "private")


def decode_frame(
    stream: bytes,
    syntax: uid.UID,
    size_hw: tuple[int, int],
    sample_bytes: int,
    fall_back: Callable[[], Pixels],
    reduce: int = 0,
) -> Frame:
    """Decode one grey frame by the fastest exact decoder of its transfer syntax.

    Args:
        stream: The frame, out of its capsule.
        syntax: One of ``COMPRESSED``.
        size_hw: Rows and columns that the header states.
        sample_bytes: Bytes per sample that the header states.
        fall_back: Decodes the same frame in another way, where the first decoder has no
            answer to a stream that may be sound.
        reduce: How many times to halve a JPEG 2000 picture, if it can be.

    Raises:
        RejectedImage: If the stream is cut short, corrupt or of another size, or the codec
            is not part of this build of imagecodecs.
    """
    try:
        frame = _decode(stream, syntax, size_hw, sample_bytes, fall_back, reduce)
    except ImportError as error:
        raise TemporaryRejection(f"no decoder of {name(syntax)} is installed") from error
    if frame.samples.shape != tuple(-(-size >> frame.halvings) for size in size_hw):
        raise RejectedImage("colour image")
    return frame


def _decode(
    stream: bytes,
    syntax: uid.UID,
    size_hw: tuple[int, int],
    sample_bytes: int,
    fall_back: Callable[[], Pixels],
    reduce: int,
) -> Frame:
    if syntax in JPEG_2000 | HTJ2K:
        return _decode_jpeg2000(stream, syntax, size_hw, reduce)
    if syntax in JPEG | JPEG_LS:
        return _decode_jpeg(stream, syntax, size_hw, fall_back)
    if syntax in JPEG_XL:
        _check_size(jpegxl_size, stream, syntax, size_hw)
        return Frame(_or_corrupt(imagecodecs.jpegxl_decode, stream, syntax))
    if syntax == uid.RLELossless:
        return Frame(_decode_rle(stream, size_hw, sample_bytes))
    return Frame(_decode_plain(stream, syntax, size_hw, sample_bytes))


def _or_corrupt(decode: Callable[[bytes], Any], stream: bytes, syntax: str) -> Any:
    try:
        return decode(stream)
    except (MemoryError, ImportError):
        raise
    except Exception as error:  # Each codec has its own error.
        raise RejectedImage(f"corrupt {name(syntax)} stream") from error


def _check_size(
    read_size: Callable[[bytes], tuple[int, int]],
    stream: bytes,
    syntax: str,
    size_hw: tuple[int, int],
) -> None:
    """Refuse another size before a decoder allocates what a damaged one asks for."""
    if _or_corrupt(read_size, stream, syntax) != size_hw:
        raise RejectedImage(f"corrupt {name(syntax)} stream: its size differs from the header")


def _truncated(syntax: str) -> RejectedImage:
    return RejectedImage(f"truncated {name(syntax)} stream")


def _decode_jpeg(
    stream: bytes, syntax: str, size_hw: tuple[int, int], fall_back: Callable[[], Pixels]
) -> Frame:
    if not ends_properly(stream):
        raise _truncated(syntax)
    header = _or_corrupt(read_jpeg_header, stream, syntax)
    _check_size(lambda _: header.size_hw, stream, syntax, size_hw)
    if syntax in JPEG_LS:
        # Refuses incomplete streams itself, and its refusal is final.
        return Frame(_or_corrupt(imagecodecs.jpegls_decode, stream, syntax), header.precision)
    try:
        pixels: Pixels = imagecodecs.jpeg8_decode(stream)
    except imagecodecs.Jpeg8Error:
        pixels = fall_back()
    whole = _or_corrupt(
        lambda data: is_whole_jpeg(data, pixels, imagecodecs.jpeg8_decode), stream, syntax
    )
    if not whole:
        raise _truncated(syntax)
    return Frame(pixels, header.precision)


def _decode_jpeg2000(stream: bytes, syntax: str, size_hw: tuple[int, int], reduce: int) -> Frame:
    if not ends_properly(stream):
        raise _truncated(syntax)
    header = _or_corrupt(read_jpeg2000_header, stream, syntax)
    _check_size(lambda _: header.size_hw, stream, syntax, size_hw)
    halvings = min(reduce, header.levels) if syntax in JPEG_2000 and header.precision <= 16 else 0
    # In full, OpenJPEG refuses incomplete streams itself.
    if (syntax in HTJ2K or halvings) and not is_whole_jpeg2000(stream, header):
        raise _truncated(syntax)
    if syntax in HTJ2K:
        pixels = _decode_htj2k(stream, syntax, header)
    elif halvings:
        pixels = _or_corrupt(lambda data: _decode_halved(data, header, halvings), stream, syntax)
    else:
        pixels = _or_corrupt(imagecodecs.jpeg2k_decode, stream, syntax)
    return Frame(pixels, header.precision, header.signed, halvings)


def _decode_htj2k(stream: bytes, syntax: str, header: Jpeg2000Header) -> Pixels:
    """Decode by OpenJPH, or by the slower OpenJPEG what that one fails on or could crash on."""
    pixels = _decode_by_openjph(stream) if is_plain_htj2k(stream, header) else None
    if pixels is None:
        pixels = _or_corrupt(imagecodecs.jpeg2k_decode, stream, syntax)
    largest = (1 << header.precision) - 1
    if header.signed or header.precision == 8 * pixels.itemsize or pixels.max() <= largest:
        return pixels
    # What a lossy picture has below 0 comes wrapped around.
    return pixels.view(f"i{pixels.itemsize}").clip(0, largest).view(pixels.dtype)


def _decode_by_openjph(stream: bytes) -> Pixels | None:
    try:
        with _unraisable_raised():
            pixels: Pixels = imagecodecs.htj2k_decode(stream)
    except (imagecodecs.Htj2kError, ValueError, RuntimeError):
        return None
    return pixels


def _decode_halved(stream: bytes, header: Jpeg2000Header, halvings: int) -> Pixels:
    """Decode without the finest resolutions by Pillow, the only binding here that can.

    Pillow shifts values up to 8 or 16 bits, and negative ones above 0: both is undone.
    """
    picture = Jpeg2KImageFile(BytesIO(stream))  # Unlike Image.open, it has no limit of size.
    picture.reduce = halvings
    # Pillow rounds the halved size to the nearest, OpenJPEG rounds it up.
    width, height = (-(-side >> halvings) << halvings for side in picture.size)
    picture._size = width, height
    picture.load()
    shifted = np.array(picture)
    shifted >>= 8 * shifted.itemsize - header.precision
    if header.signed:
        shifted -= shifted.dtype.type(1 << (header.precision - 1))
    return shifted.view(f"i{shifted.itemsize}") if header.signed else shifted


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
    corrupt = RejectedImage(f"corrupt {name(uid.RLELossless)} stream")
    header = np.frombuffer(stream[:64].ljust(64, b"\0"), "<u4").tolist()
    if header[0] != sample_bytes:
        raise corrupt
    bounds = [*header[1 : sample_bytes + 1], len(stream)]
    planes = [_decode_plane(stream[start:end], size_hw, corrupt) for start, end in pairwise(bounds)]
    merged: Pixels = cv2.merge(planes[::-1])
    return merged.view(f"<u{sample_bytes}").reshape(size_hw)


def _decode_plane(
    segment: bytes, size_hw: tuple[int, int], corrupt: RejectedImage
) -> NDArray[np.uint8]:
    size = size_hw[0] * size_hw[1]
    if size > _LONGEST_RUN * len(segment):  # Before a decoder allocates it.
        raise _truncated(uid.RLELossless)
    try:
        try:
            values = imagecodecs.packbits_decode(segment, out=np.empty(size, np.uint8).data)
        except imagecodecs.PackbitsError:  # More than fits: some encoders add bytes.
            values = imagecodecs.packbits_decode(segment)
    except (imagecodecs.PackbitsError, ValueError) as error:
        raise corrupt from error
    if len(values) < size:
        raise _truncated(uid.RLELossless)
    return np.frombuffer(values, np.uint8, size).reshape(size_hw)


def _decode_plain(
    stream: bytes, syntax: str, size_hw: tuple[int, int], sample_bytes: int
) -> Pixels:
    """Return what is encapsulated as it is, or deflated at most.

    References:
        DICOM PS3.5, A.4.11 and A.4.13.
    """
    size = size_hw[0] * size_hw[1] * sample_bytes
    if syntax == DEFLATED_FRAMES:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS).decompress
        stream = _or_corrupt(lambda data: inflate(data, size), stream, syntax)
    if len(stream) < size:
        raise _truncated(syntax)
    return np.frombuffer(stream, f"<u{sample_bytes}", size_hw[0] * size_hw[1]).reshape(size_hw)
