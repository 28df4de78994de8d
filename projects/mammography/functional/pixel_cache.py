"""Decoded pixels as bytes that take less time to read than a PNG."""

import struct
from io import BytesIO
from typing import Any, Literal

import imagecodecs
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_TRAILER = struct.Struct(">4sI")


def encode_pixels(image: NDArray[Any], kind: Literal["npy", "blosc"], png_checksum: bytes) -> bytes:
    """Encode an image as NPY, or as an NPY header with compressed pixels behind it.

    ``npy`` holds the plain pixels; NumPy reads the file as well. ``blosc`` holds them in
    the LZ4 of Blosc with the high bytes apart from the low ones. Either ends with a
    checksum of the PNG, so that pixels of an earlier PNG are noticed, and with a checksum
    of all before it, so that damage is.

    Shapes:
        image: (H, W).

    Args:
        image: Grey values.
        kind: How to store them.
        png_checksum: Four bytes that tell the PNG of these pixels from another one.

    Raises:
        ValueError: If the image is not a non-empty 2-D array of uint16.

    References:
        NumPy's format version 1.0; c-blosc (https://www.blosc.org).

    Example:
        >>> import numpy as np
        >>> decode_pixels(encode_pixels(np.array([[0, 65535]], np.uint16), "npy", b"PNG!"), "npy")
        (array([[    0, 65535]], dtype=uint16), b'PNG!')
    """
    if image.ndim != 2 or image.dtype != np.uint16 or image.size == 0:
        raise ValueError(
            f"encode_pixels: image must be a non-empty 2-D array of uint16, "
            f"got {image.dtype} of shape {image.shape}"
        )
    image = np.ascontiguousarray(image, "<u2")
    file = BytesIO()
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(image))
    file.write(image.data if kind == "npy" else _compress(image))
    checksum = isal_zlib.crc32(file.getbuffer(), isal_zlib.crc32(png_checksum))
    file.write(_TRAILER.pack(png_checksum, checksum))
    return file.getvalue()


def decode_pixels(data: bytes, kind: Literal["npy", "blosc"]) -> tuple[NDArray[np.uint16], bytes]:
    """Return the pixels of :func:`encode_pixels` and the checksum of their PNG.

    Shapes:
        returns: (H, W), not writable.

    Args:
        data: What it returned.
        kind: How they are stored.

    Raises:
        ValueError: If the data is something else, cut short or damaged.
    """
    view = memoryview(data)
    body, trailer = view[: -_TRAILER.size], view[-_TRAILER.size :]
    if len(trailer) < _TRAILER.size:
        raise ValueError("decode_pixels: data must end with its checksums, it is cut short")
    png_checksum, checksum = _TRAILER.unpack(trailer)
    if isal_zlib.crc32(body, isal_zlib.crc32(png_checksum)) != checksum:
        raise ValueError("decode_pixels: data must match its checksum, it is damaged")
    file = BytesIO(data[:256])  # The header takes 128.
    version = np.lib.format.read_magic(file)
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if version != (1, 0) or dtype != np.dtype("<u2") or len(shape) != 2:
        raise ValueError(f"decode_pixels: data must be 2-D uint16, got {dtype} of shape {shape}")
    pixels = body[file.tell() :]
    raw = pixels if kind == "npy" else imagecodecs.blosc_decode(bytes(pixels), numthreads=1)
    return np.frombuffer(raw, "<u2").reshape(shape), png_checksum


def _compress(image: NDArray[np.uint16]) -> bytes:
    # Blosc 2 of imagecodecs 2026.3.6 cannot read back a small image of zeros, and is slower.
    return bytes(
        imagecodecs.blosc_encode(
            image.tobytes(), level=5, compressor="lz4", shuffle=1, typesize=2, numthreads=1
        )
    )
