"""DICOM files written byte by byte, for values that no writer would write."""

import struct
from collections.abc import Mapping

from pydicom import uid
from pydicom.datadict import tag_for_keyword

_LONG_FORM = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"UC", b"UN", b"UR", b"UT")
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF

Element = tuple[bytes, bytes]  # VR and value, which may contradict it.


def tag_of(keyword: str) -> int:
    return int(tag_for_keyword(keyword))


def element(tag, vr, value, implicit=False, length=None):
    """Return the bytes of an element; a length that is told need not be true."""
    value += b"\0" * (len(value) % 2)
    length = len(value) if length is None else length
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if implicit:
        return head + struct.pack("<L", length) + value
    if vr in _LONG_FORM:
        return head + vr + b"\0\0" + struct.pack("<L", length) + value
    return head + vr + struct.pack("<H", length & 0xFFFF) + value


def sequence(*items, defined=True):
    """Return the value of a sequence of items, each the bytes of its elements."""
    if defined:
        return b"".join(_head(_ITEM, len(item)) + item for item in items)
    body = b"".join(_head(_ITEM, UNDEFINED) + item + _head(_ITEM_END, 0) for item in items)
    return body + _head(_SEQUENCE_END, 0)


def nested(tag, depth):
    """Return the bytes of sequences of undefined length, one in the other."""
    head = element(tag, b"SQ", b"", length=UNDEFINED) + _head(_ITEM, UNDEFINED)
    return head * depth + (_head(_ITEM_END, 0) + _head(_SEQUENCE_END, 0)) * depth


def raw_dicom(
    elements: Mapping[int, Element], syntax=uid.ExplicitVRLittleEndian, implicit=False, tail=b""
):
    """Return the bytes of a file of these elements, in the order of their tags.

    Args:
        elements: Tag to VR and value.
        syntax: What the file says; it decides about nothing else.
        implicit: Whether to leave out the types.
        tail: Bytes that follow.
    """
    meta = element(0x00020010, b"UI", str(syntax).encode())
    meta = element(0x00020000, b"UL", struct.pack("<L", len(meta))) + meta
    body = [element(tag, *elements[tag], implicit) for tag in sorted(elements)]
    return bytes(128) + b"DICM" + meta + b"".join(body) + tail


def usual(pixels) -> dict[int, Element]:
    """Return the elements of a mammogram of 16 bits, to be spoilt."""
    rows, columns = pixels.shape
    values = {
        "SOPClassUID": (b"UI", b"1.2.840.10008.5.1.4.1.1.1.2"),
        "Modality": (b"CS", b"MG"),
        "ImageLaterality": (b"CS", b"L"),
        "ViewPosition": (b"CS", b"CC"),
        "Manufacturer": (b"LO", b"Maker"),
        "SamplesPerPixel": (b"US", b"\1\0"),
        "PhotometricInterpretation": (b"CS", b"MONOCHROME2"),
        "Rows": (b"US", struct.pack("<H", rows)),
        "Columns": (b"US", struct.pack("<H", columns)),
        "BitsAllocated": (b"US", b"\x10\0"),
        "BitsStored": (b"US", b"\x0c\0"),
        "HighBit": (b"US", b"\x0b\0"),
        "PixelRepresentation": (b"US", b"\0\0"),
        "PixelData": (b"OW", pixels.astype("<u2").tobytes()),
    }
    return {tag_of(keyword): value for keyword, value in values.items()}


def _head(tag, length):
    return struct.pack("<HHL", tag >> 16, tag & 0xFFFF, length)
