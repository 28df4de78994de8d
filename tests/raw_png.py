"""PNG files written chunk by chunk, for what no writer would write."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR, PALETTE, WITH_ALPHA = 0, 2, 3, 4
PASSES = (  # First column and row, and their steps.
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip


def chunk(name, body):
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def rows(pixels):
    """Return rows without filter; of 16 bits they must have the high byte first."""
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def interlaced(pixels):
    """Return the rows of the seven passes over a picture."""
    parts = (pixels[y::dy, x::dx] for x, y, dx, dy in PASSES)
    return b"".join(rows(part) for part in parts if part.size)


def raw_png(raw, size_hw, bits=8, kind=GREY, extra=b"", is_interlaced=False, packed=None):
    """Return a file.

    Args:
        raw: Its rows.
        size_hw: Rows and columns that it states.
        bits: Of a sample.
        kind: Type of its colours.
        extra: Chunks before the data.
        is_interlaced: What it states of its rows.
        packed: Compressed rows in place of ``raw``.
    """
    head = struct.pack(">LLBBBBB", size_hw[1], size_hw[0], bits, kind, 0, 0, is_interlaced)
    body = zlib.compress(raw) if packed is None else packed
    parts = chunk(b"IHDR", head) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return SIGNATURE + parts
