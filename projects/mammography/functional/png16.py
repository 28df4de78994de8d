"""16-bit grey PNG files, written and read several times faster than by libpng."""

import struct
from collections.abc import Iterator

import cv2
import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2  # The filter that stores each row as its difference from the row above.
_GREY_16_BIT = (16, 0, 0, 0, 0)  # Bit depth, colour type, compression, filter, no interlace.
_PALETTE, _LAST_FILTER = 3, 4
# Samples per pixel and bits of a sample by colour type.
_KINDS = {
    0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), _PALETTE: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)), 6: (4, (8, 16)),
}  # fmt: skip
# First column and row of each pass, and their steps.
_INTERLACED = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip
_LONGEST_SIDE = 1_000_000  # Of libpng.


def encode_png16(image: NDArray[np.uint16]) -> bytes:
    """Encode a 16-bit image as a PNG without any metadata.

    Every row carries the Up filter, which costs one subtraction to write and one addition
    to read; ISA-L compresses at its fastest level. The file is about as large as OpenCV's.

    Shapes:
        image: (H, W).

    Args:
        image: Grey values.

    Raises:
        ValueError: If the image is not a non-empty 2-D array of uint16.

    Example:
        >>> import numpy as np
        >>> decode_png16(encode_png16(np.array([[0, 65535]], np.uint16)))
        array([[    0, 65535]], dtype=uint16)
    """
    if image.ndim != 2 or image.dtype != np.uint16 or image.size == 0:
        raise ValueError(
            f"encode_png16: image must be a non-empty 2-D array of uint16, "
            f"got {image.dtype} of shape {image.shape}"
        )
    height, width = image.shape
    rows = image.astype(">u2").view(np.uint8)
    filtered = np.empty((height, 1 + 2 * width), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, *_GREY_16_BIT)
    body = isal_zlib.compress(filtered.data, level=1)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def decode_png16(data: bytes) -> NDArray[np.uint16] | NDArray[np.uint8]:
    """Decode a PNG without losing bits.

    Files of :func:`encode_png16` take a fast path; OpenCV decodes every other PNG as it is
    stored, but for transparency, text and all else beside the pixels. Checksums and the
    number of bytes are verified on both paths, so damage is an error and never a picture,
    and no more memory is taken than the header states.

    Shapes:
        returns: (H, W), or (H, W, channels) for a colour PNG.

    Args:
        data: A whole PNG file.

    Returns:
        uint16 for 16-bit files, uint8 for files of 8 bits or fewer.

    Raises:
        ValueError: If the data is not a PNG, is cut short or is damaged.
    """
    chunks = list(_chunks(data))
    names = [name for name, _ in chunks]
    if not names or names[0] != b"IHDR" or len(chunks[0][1]) != 13 or b"IDAT" not in names:
        raise ValueError("decode_png16: PNG must begin with IHDR and hold IDAT")
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[0][1])
    passes = _passes(width, height, tuple(kind))
    raw = _inflate(
        [body for name, body in chunks if name == b"IDAT"],
        sum(rows * row_bytes for rows, row_bytes in passes),
    )
    if tuple(kind) == _GREY_16_BIT:
        filtered = raw.reshape(height, -1)
        if (filtered[:, 0] == _UP).all():
            return _undo_up(filtered[:, 1:])
    _check_filters(raw, passes)
    return _decode_by_opencv(_without_extras(chunks, kind[1]))


def _passes(width: int, height: int, kind: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return rows and bytes per row, with that of the filter, of each pass over the picture."""
    depth, colour, compression, filters, interlace = kind
    samples, depths = _KINDS.get(colour, (0, ()))
    sound = depth in depths and (compression, filters) == (0, 0) and interlace in (0, 1)
    if not (sound and 0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
        raise ValueError("decode_png16: PNG must have a size and a kind of the standard")
    steps = _INTERLACED if interlace else ((0, 0, 1, 1),)
    sizes = [(-((y - height) // dy), -((x - width) // dx)) for x, y, dx, dy in steps]
    return [
        (rows, 1 + -(-columns * samples * depth // 8))
        for rows, columns in sizes
        if rows > 0 and columns > 0
    ]


def _check_filters(raw: NDArray[np.uint8], passes: list[tuple[int, int]]) -> None:
    """Refuse a filter that is none, about which libpng would print."""
    start = 0
    for rows, row_bytes in passes:
        if raw[start : start + rows * row_bytes : row_bytes].max() > _LAST_FILTER:
            raise ValueError("decode_png16: PNG must have known filters, it is damaged")
        start += rows * row_bytes


def _without_extras(chunks: list[tuple[bytes, memoryview]], colour: int) -> bytes:
    """Return the file without what libpng would inflate, apply or print beside the pixels."""
    needed = [b"IHDR", b"PLTE", b"IDAT"] if colour == _PALETTE else [b"IHDR", b"IDAT"]
    kept = [(name, body) for name, body in chunks if name in needed]
    order = [needed.index(name) for name, _ in kept]
    colours = [len(body) for name, body in kept if name == b"PLTE"]
    whole = all(0 < size <= 768 and size % 3 == 0 for size in colours)
    if order != sorted(order) or order[1] == 0 or len(colours) != len(needed) - 2 or not whole:
        raise ValueError("decode_png16: PNG must hold one IHDR, a palette if need be, then IDAT")
    body = b"".join(_chunk(name, bytes(body)) for name, body in kept)
    return SIGNATURE + body + _chunk(b"IEND", b"")


def _decode_by_opencv(data: bytes) -> NDArray[np.uint16] | NDArray[np.uint8]:
    try:
        image: NDArray[np.uint16] | None = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED
        )
    except cv2.error as error:
        raise ValueError(f"decode_png16: PNG must be decodable: {error}") from error
    if image is None:
        raise ValueError("decode_png16: PNG must be decodable, OpenCV could not read it")
    return image


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = isal_zlib.crc32(body, isal_zlib.crc32(name))
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the name and body of each chunk up to IEND, each with its checksum verified."""
    if data[: len(SIGNATURE)] != SIGNATURE:
        raise ValueError("decode_png16: data must be a PNG, its signature is missing")
    view, position, name = memoryview(data), len(SIGNATURE), b""
    while name != b"IEND":
        if position + 12 > len(data):
            raise ValueError("decode_png16: PNG must end with IEND, it is cut short")
        (length,) = struct.unpack_from(">I", data, position)
        name, end = data[position + 4 : position + 8], position + 8 + length
        if end + 4 > len(data):
            raise ValueError("decode_png16: PNG must end with IEND, it is cut short")
        if isal_zlib.crc32(view[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError("decode_png16: PNG chunk must match its checksum, it is damaged")
        yield name, view[position + 8 : end]
        position = end + 4


def _inflate(bodies: list[memoryview], size: int) -> NDArray[np.uint8]:
    """Return the filtered rows, one after the other; a bomb stops at their size."""
    body = bodies[0] if len(bodies) == 1 else b"".join(bodies)
    inflater = isal_zlib.decompressobj()
    try:
        raw = inflater.decompress(body, size + 1)
    except (IsalError, EOFError) as error:  # type: ignore[misc]  # Its stub names an instance.
        raise ValueError(f"decode_png16: PNG data must inflate: {error}") from error
    if len(raw) != size or not inflater.eof:
        raise ValueError(f"decode_png16: PNG must hold {size} bytes of rows, got {len(raw)}")
    return np.frombuffer(raw, np.uint8)


def _undo_up(differences: NDArray[np.uint8]) -> NDArray[np.uint16]:
    # Row by row: np.add.accumulate along the rows takes four times as long.
    image = np.empty(differences.shape, np.uint8)
    image[0] = differences[0]
    for above, difference, row in zip(image, differences[1:], image[1:], strict=False):
        np.add(above, difference, out=row)
    pixels: NDArray[np.uint16] = image.view(">u2").astype(np.uint16)
    return pixels
