"""Readers of picture files that are not DICOM: a whole file to its values.

A file says how large its picture is; that is looked at before a decoder believes it.
"""

import math
import re
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from mammography.functional.png16 import SIGNATURE, decode_png16
from mammography.preparation.decoding.codestream import is_whole_jpeg, read_jpeg_header
from mammography.preparation.decoding.discretion import discretion
from mammography.preparation.decoding.limits import check_size
from mammography.preparation.rejection import RejectedImage

Pixels = NDArray[Any]

_END_OF_JPEG = b"\xff\xd9"
_GAP = rb"(?:\s|#[^\n\r]*[\n\r])+"
_NETPBM_HEADER = re.compile(rb"P([25])" + 3 * (_GAP + rb"(\d{1,10})") + rb"\s")
_WHITEST_SHORT, _WHITEST = 255, 65535
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 259, 262, 277
_TAGS, _NEXT = (_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES), 0
_UNCOMPRESSED, _WHITE_IS_ZERO, _BLACK_IS_ZERO = 1, 0, 1


def colours() -> RejectedImage:
    """Return the reason of a picture that is not one of grey values."""
    return RejectedImage("colour or multi-frame image")


def check_type(dtype: np.dtype[Any]) -> None:
    """Refuse values that are no numbers.

    Raises:
        RejectedImage: If they are none; the names of fields, which could say anything, are
            left out.
    """
    if dtype.kind not in "uif":
        raise RejectedImage(f"unsupported pixel type {dtype.name}")


def read_png(data: bytes) -> Pixels:
    """Decode a PNG file as it is stored."""
    if data[: len(SIGNATURE)] == SIGNATURE and data[12:16] == b"IHDR":
        check_size(int.from_bytes(data[20:24], "big"), int.from_bytes(data[16:20], "big"))
    return decode_png16(data)


def read_jpeg(data: bytes) -> Pixels:
    """Decode a JPEG file as it is stored, not turned by what its EXIF data says.

    Raises:
        ValueError: If it is damaged or cut short.
    """
    header = read_jpeg_header(data)
    check_size(*header.size_hw)
    end = data.rfind(_END_OF_JPEG) + len(_END_OF_JPEG)
    if end <= header.scan_start:
        raise ValueError("cut short")
    if header.components not in (1, 3):
        raise colours()
    pixels: Pixels = imagecodecs.jpeg8_decode(data[:end])
    if not is_whole_jpeg(data[:end], pixels, imagecodecs.jpeg8_decode):
        raise ValueError("cut short")
    return pixels


def read_npy(data: bytes) -> Pixels:
    """Read an array that NumPy saved; never one of Python objects, which could run code.

    Raises:
        ValueError: If the file has not as many bytes as it states.
    """
    file = BytesIO(data)
    read_header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[np.lib.format.read_magic(file)]
    try:
        shape, _, dtype = read_header(file)
    except MemoryError as error:  # Of Python's parser, which nests no deeper.
        raise ValueError("no header") from error
    check_type(dtype)
    if math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise ValueError("another number of bytes than stated")
    array: Pixels = np.load(BytesIO(data), allow_pickle=False)
    return array


def read_tiff(data: bytes) -> Pixels:
    """Decode a TIFF file of one grey picture, white high.

    Raises:
        ValueError: If it is damaged or cut short.
    """
    tags = _read_tags(data)
    photometric, bits = tags[_PHOTOMETRIC], tags[_BITS]
    is_grey = photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO)
    if tags[_NEXT] or not is_grey or tags[_SAMPLES] != 1:
        raise colours()
    height, width = tags[_HEIGHT], tags[_WIDTH]
    check_size(height, width)
    is_plain = tags[_COMPRESSION] == _UNCOMPRESSED
    if is_plain and height * width * bits > 8 * len(data):
        raise ValueError("cut short")
    pixels: Pixels = imagecodecs.tiff_decode(data)
    check_type(pixels.dtype)
    # Damage leaves pixels as the memory was: over other values the picture would differ.
    bits_of = np.dtype(f"u{pixels.itemsize}")
    again = imagecodecs.tiff_decode(data, out=(~pixels.view(bits_of)).view(pixels.dtype))
    if not np.array_equal(pixels.view(bits_of), again.view(bits_of)):
        raise ValueError("pixels that nothing stands for")
    if photometric == _BLACK_IS_ZERO:
        return pixels
    if pixels.dtype.kind != "u":
        raise RejectedImage(f"unsupported pixel type {pixels.dtype.name} with white as zero")
    inverted: Pixels = ((1 << bits) - 1 - pixels).astype(pixels.dtype)
    return inverted


def _read_tags(data: bytes) -> dict[int, int]:
    """Return the first value of each tag that matters; that of the standard without it.

    Raises:
        ValueError: If there is no size.
    """
    file = BytesIO(data)
    tags = ImageFileDirectory_v2(data[:8])
    file.seek(tags.next)
    with discretion():
        tags.load(file)
        if not {_HEIGHT, _WIDTH} <= set(tags):
            raise ValueError("no size")
        values = {tag: tags.get(tag, 1) for tag in _TAGS}
    first = {tag: int(v[0] if isinstance(v, tuple) else v) for tag, v in values.items()}
    return first | {_NEXT: tags.next}


def read_pgm(data: bytes) -> Pixels:
    """Read a PGM file, binary or as text, of one picture.

    Raises:
        ValueError: If it has another number of values than stated, or too large ones.

    References:
        Netpbm, format "pgm".
    """
    header = _NETPBM_HEADER.match(data)
    if header is None:
        raise ValueError("no header")
    kind, width, height, white = (int(number) for number in header.groups())
    check_size(height, width)
    rest = data[header.end() :]
    if not 0 < white <= _WHITEST:
        raise ValueError("no number of greys")
    stored = np.uint8 if white <= _WHITEST_SHORT else np.uint16
    if kind == 2:
        words = rest.split()
        values: Pixels = np.fromiter(map(int, words), np.int64, len(words))
    else:
        size = height * width * stored().itemsize
        if rest[size:].strip():
            raise ValueError("more than one picture")
        values = np.frombuffer(rest[:size], stored().dtype.newbyteorder(">"))
    if values.size != height * width or values.min() < 0 or values.max() > white:
        raise ValueError("other values than stated")
    return values.astype(stored).reshape(height, width)
