"""A plain encoder of lossless JPEG for what no encoder at hand writes.

Any precision from 2 to 16 bits, any predictor, restart intervals and a point transform, after
ITU-T T.81, annex H. One table of codes of five bits serves all categories: valid, but not small.
"""

import struct

import numpy as np

CODE_BITS = 5


def encode_lossless_jpeg(pixels, bits, predictor=1, restart_rows=0, point_transform=0):
    """Return a JPEG stream of one grey component.

    Args:
        pixels: Values of (H, W) from 0 to ``2 ** bits - 1``.
        bits: Precision.
        predictor: Selection value from 1 to 7.
        restart_rows: Rows between restart markers; 0 for none.
        point_transform: Low bits that are dropped.
    """
    height, width = pixels.shape
    values = pixels.astype(np.int64) >> point_transform
    rows = restart_rows or height
    scans = [values[top : top + rows] for top in range(0, height, rows)]
    body = b""
    for number, scan in enumerate(scans):
        if number:
            body += bytes([0xFF, 0xD0 + (number - 1) % 8])
        body += entropy_code(differences(scan, predictor, 1 << (bits - point_transform - 1)))
    codes = bytes([0, *(0,) * (CODE_BITS - 1), 17, *(0,) * (16 - CODE_BITS), *range(17)])
    parts = [
        b"\xff\xd8",
        segment(0xC3, struct.pack(">BHHB3B", bits, height, width, 1, 1, 0x11, 0)),
        segment(0xC4, codes),
        segment(0xDD, struct.pack(">H", rows * width)) if restart_rows else b"",
        segment(0xDA, bytes([1, 1, 0, predictor, 0, point_transform])),
        body,
        b"\xff\xd9",
    ]
    return b"".join(parts)


def segment(marker, body):
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def differences(values, predictor, first):
    """Return what is left of each value after its prediction, from -32767 to 32768."""
    left, above = np.roll(values, 1, axis=1), np.roll(values, 1, axis=0)
    corner = np.roll(above, 1, axis=1)
    predicted = {
        1: left,
        2: above,
        3: corner,
        4: left + above - corner,
        5: left + ((above - corner) >> 1),
        6: above + ((left - corner) >> 1),
        7: (left + above) >> 1,
    }[predictor].copy()
    predicted[0], predicted[:, 0] = left[0], above[:, 0]
    predicted[0, 0] = first
    return ((values - predicted + 32767) % 65536 - 32767).ravel()


def entropy_code(numbers):
    """Return the bits: the category's code, then the low bits of the difference."""
    bits = []
    for number in numbers.tolist():
        category = abs(number).bit_length()
        bits.append(f"{category:0{CODE_BITS}b}")
        if 0 < category < 16:
            low = number if number > 0 else number + (1 << category) - 1
            bits.append(f"{low:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")
