"""Where the frames of a DICOM file lie, so that one is read without the others."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mammography.preparation.decoding.codestream import ends_properly
from mammography.preparation.decoding.limits import LARGEST
from mammography.preparation.rejection import RejectedImage

FrameChoice = Literal["refuse", "middle", "max"] | int
"""What to make of several frames: refuse them, take the middle one or one by its index from 0,
or project them onto one picture by their largest densities."""

_PIXEL_DATA = (0x7FE0, 0x0010)
_REAL_NUMBERS = {(0x7FE0, 0x0008), (0x7FE0, 0x0009)}
_LONG_FORM = (b"OB", b"OW", b"UN")  # Their length follows two empty bytes.
_ITEM, _DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF
_PADDING = 1  # Bytes that make a value an even number of them.
_TAIL = 4  # Bytes in which the end marker of a picture lies.
MOST_FRAMES = 100_000  # Tomosynthesis has some hundred.
_MOST_ITEMS = 200_000
_MOST_BYTES = 8 * LARGEST  # Of a frame.


class File(Protocol):
    """An open file, or what stands for one."""

    def read(self, size: int, /) -> bytes:
        """Read as many bytes, or those up to the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a position."""

    def tell(self) -> int:
        """Return the position."""


@dataclass(frozen=True)
class Value:
    """The value of the pixel data in a file.

    Attributes:
        file: The open file.
        start: Where the value begins.
        length: Its bytes; none where items with their own lengths follow.
        in_words: Whether bytes lie in pairs with the second one first.
    """

    file: File
    start: int
    length: int | None
    in_words: bool = False


@dataclass(frozen=True)
class Frames:
    """Where each frame lies: pieces of a file as (start, length).

    Attributes:
        file: The open file.
        pieces: The pieces of each frame.
        in_words: Whether bytes lie in pairs with the second one first.
        surplus: Whether there are bytes that belong to no frame.
    """

    file: File
    pieces: list[list[tuple[int, int]]]
    in_words: bool = False
    surplus: bool = False

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.pieces)

    def read(self, index: int) -> bytes:
        """Return the bytes of one frame.

        Raises:
            RejectedImage: If there are more than any picture takes.
        """
        self._size_of(index)
        parts = [_read(self.file, *piece) for piece in self.pieces[index]]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read_array(self, index: int) -> NDArray[np.uint8]:
        """Return the bytes of one frame as an array, which takes less time to allocate.

        Raises:
            RejectedImage: If there are more than any picture takes.
        """
        data, filled = np.empty(self._size_of(index), np.uint8), 0
        for start, length in self.pieces[index]:
            _read_into(data[filled : filled + length], self.file, start)
            filled += length
        if self.in_words:
            data.view(np.uint16).byteswap(inplace=True)
        return data

    def _size_of(self, index: int) -> int:
        size = sum(length for _, length in self.pieces[index])
        if size > _MOST_BYTES:
            raise RejectedImage("implausible size")
        return size


def choose_frames(choice: FrameChoice, count: int) -> range:
    """Return the indices of the frames to decode.

    An image of one frame has no choice to make.

    Raises:
        RejectedImage: If there are several frames and none of them is to be taken.

    Example:
        >>> choose_frames("middle", 61), choose_frames("max", 3), choose_frames(7, 1)
        (range(30, 31), range(0, 3), range(0, 1))
    """
    if count == 1 or choice == "max":
        return range(count)
    if choice == "refuse":
        raise RejectedImage("multi-frame image")
    index = count // 2 if choice == "middle" else choice
    if not 0 <= index < count:
        raise RejectedImage(f"no frame of index {index}")
    return range(index, index + 1)


def find_value(file: File, little_endian: bool) -> Value:
    """Find the pixel data where the reading of the header stopped.

    Raises:
        RejectedImage: If there are none, or they are real numbers.
    """
    order, head = "<" if little_endian else ">", file.read(8)
    if len(head) < 8:
        raise RejectedImage("no pixel data")
    tag = struct.unpack(f"{order}HH", head[:4])
    if tag in _REAL_NUMBERS:
        raise RejectedImage("pixel data are real numbers")
    if tag != _PIXEL_DATA:
        raise RejectedImage("no pixel data")
    # A length in the place of the type cannot look like one: it is even.
    size = file.read(4) if head[4:6] in _LONG_FORM else head[4:]
    if len(size) < 4:
        raise RejectedImage("truncated file")
    (length,) = struct.unpack(f"{order}L", size)
    in_words = not little_endian and head[4:6] == b"OW"
    return Value(file, file.tell(), None if length == _UNDEFINED else length, in_words)


def native_frames(
    value: Value, size_hw: tuple[int, int], sample_bits: int, stated: int | None
) -> Frames:
    """Find the frames of pixel data that are not compressed.

    Args:
        value: The pixel data.
        size_hw: Rows and columns.
        sample_bits: Bits allocated for a pixel.
        stated: Number of frames in the header; without it, as many as the bytes make, if
            they make whole ones.

    Raises:
        RejectedImage: If bytes are missing.
    """
    if value.length is None:
        raise RejectedImage("compressed pixel data under an uncompressed transfer syntax")
    frame_bits = size_hw[0] * size_hw[1] * sample_bits
    size = (frame_bits + 7) // 8
    count = stated or _count(value.length, size)
    if count > 1 and frame_bits % 8:
        raise RejectedImage("unsupported pixel layout (frames that begin within a byte)")
    if value.length < count * size or _end_of(value.file) < value.start + count * size:
        raise RejectedImage("truncated pixel data")
    in_words = value.in_words and sample_bits == 8
    if in_words and size % 2:
        raise RejectedImage("unsupported pixel layout (an odd number of bytes in words)")
    starts = range(value.start, value.start + count * size, size)
    surplus = value.length > count * size + _PADDING
    return Frames(value.file, [[(start, size)] for start in starts], in_words, surplus)


def _count(length: int, size: int) -> int:
    """Return how many frames of a size a value holds; one if they do not fill it."""
    count, rest = divmod(length, size)
    if rest > _PADDING:
        return 1
    if count > MOST_FRAMES:
        raise RejectedImage("implausible NumberOfFrames")
    return max(count, 1)


def encapsulated_frames(
    value: Value, stated: int | None, extended: bytes | None, end_marked: bool
) -> Frames:
    """Find the frames of compressed pixel data.

    A table of offsets is believed if it points at items and agrees with the header. Else
    each item is a frame, or each run of items up to one that ends a picture.

    Args:
        value: The pixel data.
        stated: Number of frames in the header, if it states one.
        extended: Offsets of 64 bits, if there are any.
        end_marked: Whether each picture ends with the marker of JPEG.

    Raises:
        RejectedImage: If bytes are missing or the frames cannot be told apart.

    References:
        DICOM PS3.5, A.4.
    """
    table, *items = _items(value)
    if not items:
        raise RejectedImage("no pixel data")
    if stated == 1:
        return Frames(value.file, [items])
    for offsets in (_numbers(extended or b"", 8), _numbers(_read(value.file, *table), 4)):
        frames = _split_at(items, offsets)
        if frames and len(frames) == (stated or len(frames)):
            return Frames(value.file, frames)
    if len(items) != stated and end_marked:
        frames = list(_split_by_marker(value.file, items))
    else:
        frames = [[item] for item in items]
    if len(frames) < (stated or 1):
        raise RejectedImage("truncated pixel data")
    if len(frames) != (stated or len(frames)):
        raise RejectedImage("frames that cannot be told apart")
    return Frames(value.file, frames)


def _items(value: Value) -> list[tuple[int, int]]:
    """Return start and length of the items, of which the first is the table of offsets."""
    end = _end_of(value.file)
    limit = end if value.length is None else value.start + value.length
    items: list[tuple[int, int]] = []
    position = value.start
    while position < limit:
        value.file.seek(position)
        head = value.file.read(8)
        if head[:4] == _DELIMITER:
            break
        if len(head) == 8 and head[:4] != _ITEM:
            raise RejectedImage("pixel data are not in items, as the transfer syntax demands")
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or position + 8 + length > end:
            raise RejectedImage("truncated file")
        if len(items) > _MOST_ITEMS:
            raise RejectedImage("implausible number of items")
        items.append((position + 8, length))
        position += 8 + length
    if not items:
        raise RejectedImage("no pixel data")
    return items


def _numbers(table: bytes, size: int) -> list[int]:
    whole = table[: len(table) // size * size]
    return list(struct.unpack(f"<{len(whole) // size}{'Q' if size == 8 else 'L'}", whole))


def _split_at(items: list[tuple[int, int]], offsets: list[int]) -> list[list[tuple[int, int]]]:
    """Split items where offsets from the first one point; not at all if they point elsewhere."""
    places = {start - items[0][0]: index for index, (start, _) in enumerate(items)}
    if offsets[:1] != [0] or any(after <= before for before, after in pairwise(offsets)):
        return []
    if not places.keys() >= set(offsets):
        return []
    bounds = [*(places[offset] for offset in offsets), len(items)]
    return [items[first:last] for first, last in pairwise(bounds)]


def _split_by_marker(
    file: File, items: Iterable[tuple[int, int]]
) -> Iterator[list[tuple[int, int]]]:
    frame = []
    for start, length in items:
        frame.append((start, length))
        tail = min(length, _TAIL)
        if ends_properly(_read(file, start + length - tail, tail)):
            yield frame
            frame = []
    if frame:
        yield frame


def _read(file: File, start: int, length: int) -> bytes:
    file.seek(start)
    data = file.read(length)
    if len(data) < length:
        raise RejectedImage("truncated file")
    return data


def _read_into(data: NDArray[np.uint8], file: File, start: int) -> None:
    """Fill an array from a file, or from what can only return bytes."""
    read_into = getattr(file, "readinto", None)
    if read_into is None:
        data[:] = np.frombuffer(_read(file, start, len(data)), np.uint8)
        return
    file.seek(start)
    if read_into(data) < len(data):
        raise RejectedImage("truncated file")


def _end_of(file: File) -> int:
    return file.seek(0, 2)
