"""Whether a compressed stream holds the whole picture.

Decoders of JPEG and HTJ2K fill what is missing with a flat grey and say nothing. A
mammogram that lacks its lower half must not pass for a whole one, so completeness is
established here from the stream itself.
"""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SOF_LOSSLESS, _DHT, _SOS, _DRI, _SOF_LS = 0xC3, 0xC4, 0xDA, 0xDD, 0xF7
_NO_FRAME_HEADERS = (_DHT, 0xC8, 0xCC)
_ONE_SCAN = (0xC0, 0xC1, _SOF_LOSSLESS)  # Frames that are not progressive.
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_MARKER, _NO_RESTART = re.compile(rb"\xff[^\0\xff]"), re.compile(rb"\xff[^\0\xff\xd0-\xd7]")
_BLOCK = 8  # Side of a block of a lossy picture.
_HUFFMAN = range(0xC0, 0xC8)  # Frames that take a bit at least for a block.
_MOST_PIXELS = 8 * _BLOCK**2  # Of a byte of them.
END = b"\xff\xd9"  # EOI of JPEG and JPEG-LS, EOC of JPEG 2000.
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
        restarts: Units between restart markers; 0 without.
        unit_hw: Rows and columns of a unit: a sample, or the blocks of a lossy picture that
            are coded together.
        predictor: Selection value of the first scan (lossless only).
        point_transform: Bits dropped before prediction (lossless only).
        codes: Huffman code and its length of each category of difference (lossless only).
        scan_start: Where the entropy-coded data begin.
    """

    frame: int
    precision: int
    size_hw: tuple[int, int]
    components: int
    restarts: int
    unit_hw: tuple[int, int]
    predictor: int
    point_transform: int
    codes: Codes
    scan_start: int


def ends_properly(stream: bytes) -> bool:
    """Whether the stream ends with its end marker, bar the padding that DICOM adds."""
    return stream[-4:].rstrip(b"\0").endswith(END)


def read_jpeg_header(stream: bytes) -> JpegHeader:
    """Read the markers up to the first scan of a JPEG or JPEG-LS stream.

    Raises:
        ValueError: If the stream is not JPEG or its header is broken, or too short for a
            picture of the size it states, which a decoder would make up.
    """
    frame: tuple[int, bytes] | None = None
    tables: dict[int, Codes] = {}
    restarts = 0
    for marker, body, end in _segments(stream):
        if marker == _DHT:
            tables |= _huffman_codes(body)
        elif marker == _DRI:
            restarts = int.from_bytes(body[:2], "big")
        elif marker == _SOS and frame:
            precision, height, width, components = struct.unpack_from(">BHHB", frame[1])
            if frame[0] in _HUFFMAN and height * width > _MOST_PIXELS * len(stream):
                raise ValueError("a JPEG stream too short for its size")
            return JpegHeader(
                frame[0], precision, (height, width), components, restarts, _unit(*frame),
                body[-3], body[-1] & 15, tables.get(body[2] >> 4, {}), end,
            )  # fmt: skip
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADERS) or marker == _SOF_LS:
            frame = marker, body
    raise ValueError("no frame in the JPEG stream")


def _unit(frame: int, body: bytes) -> tuple[int, int]:
    """Return rows and columns of what is coded together.

    References:
        ITU-T T.81, A.2: several components are interleaved as their sampling factors say.
    """
    if frame in (_SOF_LOSSLESS, _SOF_LS):
        return 1, 1
    factors = body[7 : 6 + 3 * body[5] : 3] if body[5] > 1 else b"\x11"
    return _BLOCK * max(f & 15 for f in factors), _BLOCK * max(f >> 4 for f in factors)


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

    A starved decoder makes up the end of the picture. So there must be no marker that a
    decoder takes for the end. Then the end is encoded again, back to the last row that is
    not plain, and the stream must end with these very bits. That is done for the usual
    lossless stream (prediction from the left, one scan). Any other one must have all its
    restart markers and is decoded again with junk before its end marker: a decoder that had
    all it needs ignores the junk, a starved one draws it.

    Args:
        stream: One image, with its end marker.
        pixels: What ``decode`` made of it.
        decode: The decoder.
    """
    header = read_jpeg_header(stream)
    end = stream.rindex(END)
    if _stops_early(stream, header, end):
        return False
    lossless = header.frame == _SOF_LOSSLESS
    kind = header.components, header.predictor, header.restarts, header.point_transform
    if lossless and kind == (1, 1, 0, 0):
        bits = _bits_at_end(pixels, header)
        if bits is None:
            return False
        # Twice the bits, as any byte may be stuffed; of the scan, not of the header.
        start = max(end - len(bits) // 4 - 32, header.scan_start)
        return _ends_with(stream[start:end], bits)
    if header.restarts and header.frame in _ONE_SCAN:
        height, width = (
            -(-side // unit) for side, unit in zip(header.size_hw, header.unit_hw, strict=True)
        )
        found = len(_RESTART.findall(stream, header.scan_start, end))
        if found < -(-height * width // header.restarts) - 1:
            return False
    # Bytes of 255 before a marker only fill; junk after one would be a marker.
    return np.array_equal(decode(stream[:end].rstrip(b"\xff") + _JUNK + END), pixels)


def _stops_early(stream: bytes, header: JpegHeader, end: int) -> bool:
    """Whether a marker stands where a decoder would take it for the end.

    References:
        ITU-T T.81, B.1.1.2: within a scan 255 is followed by 0 or by a restart marker.
    """
    if header.frame not in _ONE_SCAN or header.components > 1:
        return stream.find(END, header.scan_start, end) >= 0
    marker = _NO_RESTART if header.restarts else _MARKER
    return marker.search(stream, header.scan_start, end) is not None


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


def _ends_with(tail: bytes, end: Bits) -> bool:
    """Whether the end of a scan ends with given bits, but for padding."""
    bits = np.unpackbits(np.frombuffer(tail.replace(b"\xff\0", b"\xff"), np.uint8))
    for padding in range(_PADDING_BITS):
        found = bits[max(bits.size - padding - end.size, 0) : bits.size - padding]
        if np.array_equal(found, end):
            return True
    return False
