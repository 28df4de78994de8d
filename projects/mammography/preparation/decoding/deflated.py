"""A deflated data set that would inflate to more than any picture takes."""

import struct
from typing import BinaryIO

from isal import isal_zlib
from pydicom import uid

from mammography.preparation.decoding.limits import LARGEST
from mammography.preparation.rejection import RejectedImage

_PREAMBLE, _META_GROUP = 132, b"\x02\x00"
_LONG_FORM = (b"OB", b"OW", b"UN", b"UT", b"SQ", b"UC", b"UR")  # Their length takes four bytes.
_MOST_BYTES = 2 * LARGEST
_HEAD, _PIECE = 1 << 10, 1 << 20


def check_inflated_size(file: BinaryIO) -> None:
    """Refuse a bomb: pydicom inflates a whole data set before it reads the first element.

    Args:
        file: At its begin, where it is left.

    Raises:
        RejectedImage: If the data set is deflated and too large.
    """
    if uid.DeflatedExplicitVRLittleEndian.encode() in file.read(_HEAD):
        file.seek(_end_of_meta(file))
        inflater, size = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS), 0
        while not inflater.eof and (piece := inflater.unconsumed_tail or file.read(_PIECE)):
            try:
                size += len(inflater.decompress(piece, 16 * _PIECE))
            except isal_zlib.error:  # type: ignore[misc]  # Its stub names an instance.
                break  # The reader will say so.
            if size > _MOST_BYTES:
                raise RejectedImage("implausible size")
    file.seek(0)


def _end_of_meta(file: BinaryIO) -> int:
    """Return where the elements that tell of the data set end."""
    position = _PREAMBLE
    while True:
        file.seek(position)
        head = file.read(12)
        if len(head) < 12 or head[:2] != _META_GROUP:
            return position
        is_long = head[4:6] in _LONG_FORM
        (length,) = struct.unpack_from("<L" if is_long else "<H", head, 8 if is_long else 6)
        position += length + (12 if is_long else 8)
