"""What a JPEG 2000 or HTJ2K stream says about itself, and whether it is whole."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from mammography.preparation.decoding.codestream import END, ends_properly

_SOC, _SIZ, _TILE_PART, _DATA = b"\xff\x4f", b"\xff\x51", b"\xff\x90", b"\xff\x93"
_COD, _QCD = 0x52, 0x5C
_MAIN = {0x50, 0x51, _COD, 0x55, _QCD, 0x64}  # Besides these: CAP, SIZ, TLM, COM.
_IN_TILES = {0x58, 0x64}  # PLT, COM.
_MOST_TILES = 65535
_HIGH_THROUGHPUT = {0x40, 0x48}  # Styles of code blocks.
_LARGEST_BLOCK = 8  # As exponents of two beyond 4, both sides together.
_MOST_BIT_PLANES = 31


@dataclass(frozen=True)
class Jpeg2000Header:
    """What a JPEG 2000 or HTJ2K stream says about itself before its first tile part.

    Attributes:
        size_hw: Rows and columns.
        precision: Bits per sample of the first component.
        signed: Whether its samples can be negative.
        levels: How many times the picture can be halved.
        segments: Code and body of each marker segment.
        tiles_start: Where the first tile part begins.
    """

    size_hw: tuple[int, int]
    precision: int
    signed: bool
    levels: int
    segments: tuple[tuple[int, bytes], ...]
    tiles_start: int


def read_jpeg2000_header(stream: bytes) -> Jpeg2000Header:
    """Read the main header of a JPEG 2000 or HTJ2K stream, bare or in a JP2 file.

    Raises:
        ValueError: If the stream is not JPEG 2000 or its header is broken.

    References:
        ISO/IEC 15444-1, A.5.1: the size is the extent of the grid less the offset of the
        image; A.6.1: levels of decomposition.
    """
    start = stream.index(_SOC + _SIZ) + len(_SOC)
    segments = tuple(_segments(stream, start, (_TILE_PART, END)))
    by_code = {code: body for code, body, _ in reversed(segments)}
    if _COD not in by_code:
        raise ValueError("no coding style in the JPEG 2000 header")
    right, bottom, left, top = struct.unpack_from(">4I", by_code[_SIZ[1]], 2)
    kind = by_code[_SIZ[1]][36]
    return Jpeg2000Header(
        (bottom - top, right - left),
        (kind & 0x7F) + 1,
        kind > 0x7F,
        by_code[_COD][5],
        tuple(segment[:2] for segment in segments),
        segments[-1][2],
    )


def _segments(
    stream: bytes, position: int, ends: tuple[bytes, ...]
) -> Iterator[tuple[int, bytes, int]]:
    """Yield code, body and end of each marker segment before one of the ends."""
    while stream[position : position + 2] not in ends:
        end = position + 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
        if not position + 4 <= end <= len(stream) or stream[position] != 0xFF:
            raise ValueError("broken JPEG 2000 header")
        yield stream[position + 1], stream[position + 4 : end], end
        position = end


def is_whole_jpeg2000(stream: bytes, header: Jpeg2000Header) -> bool:
    """Whether the tile parts of a JPEG 2000 or HTJ2K stream have the lengths they state."""
    last = 0
    for start, length in _tile_parts(stream, header):
        if length == 0:
            return ends_properly(stream)
        last = start + length
    return last > 0 and stream[last : last + 2] == END


def _tile_parts(stream: bytes, header: Jpeg2000Header) -> Iterator[tuple[int, int]]:
    """Yield start and length of each tile part.

    References:
        ISO/IEC 15444-1, A.4.2: Psot, the length of a tile part; 0 means up to the end.
    """
    position = header.tiles_start
    while stream[position : position + 2] == _TILE_PART:
        length = int.from_bytes(stream[position + 6 : position + 10], "big")
        yield position, length
        position += max(length, 12) if length else len(stream)


def is_plain_htj2k(stream: bytes, header: Jpeg2000Header) -> bool:
    """Whether a stream has only what images of one component need, within its limits.

    OpenJPH crashes or never ends on some headers that contradict themselves or the
    standard: tiles of no size or off the grid, coefficients of more bits than it holds.
    It takes damaged data between correct headers well.

    References:
        ISO/IEC 15444-1, A.5 and A.6; 15444-15, A.4: the styles of code blocks.
    """
    bodies = dict(header.segments)
    if not (bodies.keys() <= _MAIN and _QCD in bodies):
        return False
    try:
        tiles = _tiles(bodies[_SIZ[1]])
        plain = 0 < tiles <= _MOST_TILES and _is_plain_coding(bodies[_COD], bodies[_QCD])
        return plain and all(
            int.from_bytes(stream[start + 4 : start + 6], "big") < tiles
            and {code for code, *_ in _segments(stream, start + 12, (_DATA,))} <= _IN_TILES
            for start, _ in _tile_parts(stream, header)
        )
    except (struct.error, ValueError, IndexError):
        return False


def _tiles(siz: bytes) -> int:
    """Return the number of tiles of one component; 0 if it cannot be."""
    _, right, bottom, left, top, width, height, tile_left, tile_top, *components = struct.unpack(
        ">H8IH3B", siz
    )
    if components[:1] + components[2:] != [1, 1, 1] or 0 in (width, height):
        return 0
    if not (tile_left <= left < tile_left + width and tile_top <= top < tile_top + height):
        return 0
    columns, rows = -(-(right - tile_left) // width), -(-(bottom - tile_top) // height)
    return int(columns * rows)


def _is_plain_coding(cod: bytes, qcd: bytes) -> bool:
    style, order, _, _, levels, width, height, blocks, wavelet = struct.unpack_from(
        ">BBHBBBBBB", cod
    )
    precincts = list(cod[10:])
    bands = 3 * levels + 1
    exponents = (
        [byte >> 3 for byte in qcd[1:]]
        if wavelet
        else [step >> 11 for step in struct.unpack(f">{bands}H", qcd[1:])]
    )
    rules = (
        style < 8 and order < 5 and levels <= 32 and wavelet < 2,
        blocks in _HIGH_THROUGHPUT and width + height <= _LARGEST_BLOCK,
        len(precincts) == (levels + 1 if style & 1 else 0),
        all(byte & 0x0F and byte & 0xF0 for byte in precincts[1:]),
        qcd[0] & 0x1F == (0 if wavelet else 2) and len(exponents) == bands,
        max(exponents) + (qcd[0] >> 5) <= _MOST_BIT_PLANES,
    )
    return all(rules)
