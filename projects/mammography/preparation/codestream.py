"""Whether a compressed stream holds the whole picture.

Decoders of JPEG and HTJ2K fill what is missing with a flat grey and say nothing. A
mammogram that lacks its lower half must not pass for a whole one, so completeness is
established here from the stream itself.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SOF_LOSSLESS, _DHT, _SOS, _DRI = 0xC3, 0xC4, 0xDA, 0xDD
_NO_FRAME_HEADERS = (_DHT, 0xC8, 0xCC)
_END = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000.
_SOC_SIZ = b"\xff\x4f\xff\x51"
_PADDING_BITS = 64  # Encoders pad the last byte, some the last word.
_JUNK = bytes(range(7, 252, 3))


Codes = dict[int, tuple[int, int]]
Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class JpegHeader:
    """What a JPEG or JPEG-LS stream says about itself before its first scan.

    Attributes:
        frame: Code of the frame marker, e.g. 0xC3 for lossless Huffman coding.
        precision: Bits per sample.
        size_hw: Rows and columns.
        components: Samples per pixel.
        restarts: Whether the scan is divided by restart markers.
        predictor: Selection value of the first scan (lossless only).
        point_transform: Bits dropped before prediction (lossless only).
        codes: Huffman code and its length of each category of difference (lossless only).
        scan_start: Where the entropy-coded data begin.
    """

    frame: int
    precision: int
    size_hw: tuple[int, int]
    components: int
    restarts: bool
    predictor: int
    point_transform: int
    codes: Codes
    scan_start: int


def ends_properly(stream: bytes) -> bool:
    """Whether the stream ends with its end marker, bar the padding that DICOM adds."""
    return stream[-4:].rstrip(b"\0").endswith(_END)


def read_jpeg_header(stream: bytes) -> JpegHeader:
    """Read the markers up to the first scan of a JPEG or JPEG-LS stream.

    Raises:
        ValueError: If the stream is not JPEG or its header is broken.
    """
    frame: tuple[int, bytes] | None = None
    tables: dict[int, Codes] = {}
    restarts = False
    for marker, body, end in _segments(stream):
        if marker == _DHT:
            tables |= _huffman_codes(body)
        elif marker == _DRI:
            restarts = body != b"\0\0"
        elif marker == _SOS and frame:
            precision, height, width, components = struct.unpack_from(">BHHB", frame[1])
            return JpegHeader(
                frame[0], precision, (height, width), components, restarts,
                body[-3], body[-1] & 15, tables.get(body[2] >> 4, {}), end,
            )  # fmt: skip
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADERS) or marker == 0xF7:
            frame = marker, body
    raise ValueError("no frame in the JPEG stream")


def _segments(stream: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield code, body and end of each marker segment up to the first scan."""
    position, marker = 2, 0
    if stream[:2] != b"\xff\xd8":
        raise ValueError("no JPEG stream")
    while marker != _SOS:
        if position + 4 > len(stream) or stream[position] != 0xFF:
            raise ValueError("broken JPEG header")
        marker = stream[position + 1]
        if marker == 0xFF:  # A fill byte.
            position += 1
            continue
        end = position + 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
        body = stream[position + 4 : end]
        if end > len(stream) or len(body) < 2:
            raise ValueError("broken JPEG header")
        yield marker, body, end
        position = end


def _huffman_codes(body: bytes) -> dict[int, Codes]:
    """Return code and code length of each symbol for the tables of a DHT segment.

    References:
        ITU-T T.81, C.2: codes of one length count up; the next length appends a zero.
    """
    tables, position = {}, 0
    while position + 17 <= len(body):
        counts = body[position + 1 : position + 17]
        symbols = body[position + 17 : position + 17 + sum(counts)]
        lengths = [length for length, n in enumerate(counts, 1) for _ in range(n)]
        codes, code, last = {}, 0, 0
        for symbol, length in zip(symbols, lengths, strict=False):
            code <<= length - last
            codes[symbol] = code, length
            code, last = code + 1, length
        tables[body[position]] = codes
        position += 17 + sum(counts)
    return tables


def is_whole_jpeg(
    stream: bytes, pixels: NDArray[np.integer], decode: Callable[[bytes], NDArray[np.integer]]
) -> bool:
    """Whether all pixels that were decoded from a JPEG stream come from the stream.

    A starved decoder makes up the end of the picture. So the end is encoded again, back to
    the last row that is not plain, and the stream must end with these very bits. That is
    done for the usual lossless stream (prediction from the left, one scan). Any other one
    is decoded again with junk before its end marker: a decoder that had all it needs
    ignores the junk, a starved one draws it.

    Args:
        stream: One image, with its end marker.
        pixels: What ``decode`` made of it.
        decode: The decoder.
    """
    header = read_jpeg_header(stream)
    end = stream.rindex(_END)
    usual = header.frame == _SOF_LOSSLESS and header.predictor == 1
    if usual and not header.restarts and header.point_transform == 0:
        bits = _bits_at_end(pixels, header)
        return bits is not None and _ends_with(stream[header.scan_start : end], bits)
    return np.array_equal(decode(stream[:end] + _JUNK + _END), pixels)


def _bits_at_end(pixels: NDArray[np.integer], header: JpegHeader) -> Bits | None:
    """Encode the rows from the last one that is not plain on; none if they have no code.

    A plain row repeats the first pixel of the row above, so that all differences are zero.
    """
    image = pixels.astype(np.uint16, copy=False)
    height, width = image.shape
    last = height - 1
    while last > 0 and (image[last] == image[last - 1, 0]).all():
        last -= 1
    first = image[last - 1, 0] if last > 0 else np.uint16(1 << (header.precision - 1))
    row = np.diff(image[last], prepend=first).view(np.int16)
    bits = _encode(row, header.codes)
    if last == height - 1:
        return bits
    plain = _encode(np.zeros(1, np.int16), header.codes)
    if bits is None or plain is None:
        return None
    return np.concatenate([bits, np.tile(plain, width * (height - 1 - last))])


def _encode(differences: NDArray[np.int16], codes: Codes) -> Bits | None:
    """Return the bits of differences; none if one of them has no code.

    References:
        ITU-T T.81, H.1.2.2: the code of the category, which is the number of bits of the
        difference, then these bits; of negative ones less 1; of category 16 none.
    """
    values = differences.astype(np.int64)
    categories = np.frexp(np.abs(values))[1]
    if not set(np.unique(categories).tolist()) <= set(codes):
        return None
    table = np.zeros((17, 2), np.int64)
    for category, code in codes.items():
        table[category % 17] = code
    extra = categories % 16
    low = np.where(values < 0, values - 1, values) & ((1 << extra) - 1)
    words = (table[categories, 0] << extra) | low
    lengths = table[categories, 1] + extra
    places = lengths[:, None] - 1 - np.arange(lengths.max())
    shifted = words[:, None] >> np.maximum(places, 0)
    bits: Bits = (shifted & 1).astype(np.uint8)[places >= 0]
    return bits


def _ends_with(scan: bytes, end: Bits) -> bool:
    """Whether a scan ends with given bits, but for padding."""
    tail = scan[-(len(end) // 4 + 32) :].replace(b"\xff\0", b"\xff")  # Undo the stuffing.
    bits = np.unpackbits(np.frombuffer(tail, np.uint8))
    for padding in range(_PADDING_BITS):
        found = bits[max(bits.size - padding - end.size, 0) : bits.size - padding]
        if np.array_equal(found, end):
            return True
    return False


def jpeg2000_size(stream: bytes) -> tuple[int, int]:
    """Return the rows and columns that a JPEG 2000 or HTJ2K stream states.

    References:
        ISO/IEC 15444-1, A.5.1: the extent of the grid less the offset of the image.
    """
    start = stream.index(_SOC_SIZ)
    right, bottom, left, top = struct.unpack_from(">4I", stream, start + 8)
    return bottom - top, right - left


def is_whole_jpeg2000(stream: bytes) -> bool:
    """Whether the tile parts of a JPEG 2000 or HTJ2K stream have the lengths they state.

    References:
        ISO/IEC 15444-1, A.4.2: Psot, the length of a tile part; 0 means up to the end.
    """
    start = stream.find(_SOC_SIZ)
    position = start + 2
    while stream[position : position + 2] not in (b"\xff\x90", _END):
        if start < 0 or position + 4 > len(stream) or stream[position] != 0xFF:
            return False
        position += 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
    while stream[position : position + 2] == b"\xff\x90":
        length = int.from_bytes(stream[position + 6 : position + 10], "big")
        if length == 0:
            return ends_properly(stream)
        position += max(length, 12)
    return stream[position : position + 2] == _END
