"""What a DICOM header says about grey: modality map, window or lookup table, padding, sense."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydicom import Dataset, uid

from mammography.functional.intensity import Line, LookupTable, Map, VoiFunction, Window
from mammography.preparation.headers.header_values import HeaderValues
from mammography.preparation.rejection import RejectedImage

_INTENTS = ("FOR PRESENTATION", "FOR PROCESSING")
_INTENT_OF_CLASS = {
    uid.DigitalMammographyXRayImageStorageForPresentation: _INTENTS[0],
    uid.DigitalMammographyXRayImageStorageForProcessing: _INTENTS[1],
    uid.BreastProjectionXRayImageStorageForPresentation: _INTENTS[0],
    uid.BreastProjectionXRayImageStorageForProcessing: _INTENTS[1],
}

# What is taken where nothing is stated, and the least and the largest amount.
_RESCALING = {"RescaleSlope": (1.0, 1e-6, 1e6), "RescaleIntercept": (0.0, 0.0, 1e6)}
_MOST_BITS = 16  # Of an entry of a lookup table.
_LEAST_NEGATIVE = 1 << 15  # Of 16 bits, when they are taken for a number without a sign.


@dataclass(frozen=True)
class Raw:
    """What the values of an image that is for processing are.

    Attributes:
        is_logarithm: Whether they follow the logarithm of the intensity of the X-rays.
        sense_source: Attribute that tells whether low or high values are dense; none leaves
            that to the picture.
    """

    is_logarithm: bool = False
    sense_source: str | None = None


def read_intent(values: HeaderValues) -> str | None:
    """Return whether the pixels are for presentation or for processing."""
    stated = values.word("PresentationIntentType", _INTENTS)
    return stated or _INTENT_OF_CLASS.get(values.text("SOPClassUID"))


def read_sense(values: HeaderValues, intent: str | None) -> tuple[bool, Raw | None]:
    """Return whether low values are dense, and what is told of values for processing.

    The photometric interpretation says how values are shown. Values for processing are not
    to be shown; what they mean is told by their relation to the X-rays, and seldom agrees.

    References:
        DICOM PS3.3, C.8.11.3.1.2 (Pixel Intensity Relationship).
    """
    inverted = values.text("PhotometricInterpretation") == "MONOCHROME1"
    if intent != _INTENTS[1]:
        return inverted, None
    sign = values.numbers("PixelIntensityRelationshipSign")
    told = sign[:1] in ([1.0], [-1.0])
    raw = Raw(
        values.text("PixelIntensityRelationship") == "LOG",
        "PixelIntensityRelationshipSign" if told else None,
    )
    return (sign[0] == 1 if told else inverted), raw


def read_padding(
    values: HeaderValues, kind: Literal["u", "i"], bits: tuple[int, int], doubts: list[str]
) -> tuple[float, float] | None:
    """Return the lowest and highest value that stands for no image.

    Values of the other sign are understood: many writers state -1 for 65535 and the like.

    Args:
        values: The header.
        kind: Whether stored values have a sign, as NumPy writes it.
        bits: How many a stored value takes up, and how many of them are used.
        doubts: Takes what is odd.
    """
    first = values.numbers("PixelPaddingValue")[:1]
    ends = first + values.numbers("PixelPaddingRangeLimit")[:1]
    if not first:
        if values.is_stated("PixelPaddingValue"):
            doubts.append("PixelPaddingValue is no number and was ignored")
        return None
    allocated, stored = bits
    low, high = (
        (0, (1 << stored) - 1) if kind == "u" else (-(1 << (stored - 1)), (1 << (stored - 1)) - 1)
    )
    turned = [end if low <= end <= high else _wrapped(int(end), kind, allocated) for end in ends]
    if any(not low <= end <= high for end in turned):
        doubts.append("PixelPaddingValue cannot be stored and was ignored")
        return None
    return min(turned), max(turned)


def _wrapped(value: int, kind: Literal["u", "i"], bits: int) -> float:
    """Return the number that has the bits of another one of the other sign."""
    unsigned = value % (1 << bits)
    return float(unsigned - (1 << bits) if kind == "i" and unsigned >> (bits - 1) else unsigned)


def read_modality(values: HeaderValues, doubts: list[str]) -> Map | None:
    """Return the map from stored to modality values; none where it changes nothing."""
    tables = values.items("ModalityLUTSequence")
    if tables:
        return _table(values, tables[0], scaled=False)
    slope, intercept = (_rescaling(values, keyword, doubts) for keyword in _RESCALING)
    return None if (slope, intercept) == (1, 0) else Line(slope, intercept)


def _rescaling(values: HeaderValues, keyword: str, doubts: list[str]) -> float:
    """Return a number of the line from stored to modality values."""
    usual, least, most = _RESCALING[keyword]
    numbers = values.numbers(keyword)
    if not numbers:
        if values.is_stated(keyword):
            doubts.append(f"{keyword} is no number and was ignored")
        return usual
    if not least <= abs(numbers[0]) <= most:
        doubts.append(f"{keyword} is implausible and was ignored")
        return usual
    return numbers[0]


def read_voi(
    values: HeaderValues, index: int, doubts: list[str]
) -> tuple[Map | None, dict[str, Any] | None]:
    """Return the map of the chosen lookup table or window, and its facts; tables go first.

    Raises:
        RejectedImage: If there are several, but none of that index.
    """
    tables = values.items("VOILUTSequence")
    if tables:
        table = _table(values, _pick(tables, index), scaled=True)
        count = {"entries": len(table.entries), "first": table.first, "white": table.white}
        return table, {"kind": "lut", "index": index, "of": len(tables), **count}
    centers, widths = values.numbers("WindowCenter"), values.numbers("WindowWidth")
    if not centers or len(centers) != len(widths):
        if values.is_stated("WindowCenter") or values.is_stated("WindowWidth"):
            doubts.append("the window is incomplete and was ignored")
        return None, None
    stated = values.text("VOILUTFunction") or VoiFunction.LINEAR
    function = values.word("VOILUTFunction", tuple(VoiFunction)) or VoiFunction.LINEAR
    if stated != function:
        doubts.append("the VOI LUT function is unknown, LINEAR was taken")
    center, width = _pick(list(zip(centers, widths, strict=True)), index)
    try:
        window = Window(center, width, VoiFunction(function))
    except ValueError:
        doubts.append("the window is invalid and was ignored")
        return None, None
    numbers = {"function": window.function.value, "center": center, "width": width}
    return window, {"kind": "window", "index": index, "of": len(centers), **numbers}


def _pick(choices: Any, index: int) -> Any:
    if index >= len(choices):
        raise RejectedImage(f"no window or lookup table of index {index}")
    return choices[index]


def _table(values: HeaderValues, item: Dataset, scaled: bool) -> LookupTable:
    try:
        return _read_table(values, item, scaled)
    except (AttributeError, TypeError, ValueError) as error:  # Absent, or of another form.
        raise RejectedImage("broken lookup table") from error


def _read_table(values: HeaderValues, item: Dataset, scaled: bool) -> LookupTable:
    count, first, bits = (int(v) for v in item.LUTDescriptor)
    count = count % (1 << 16) or 1 << 16  # 65536 has 17 bits, and some numbers the wrong sign.
    if first >= _LEAST_NEGATIVE and values.numbers("PixelRepresentation") == [1]:
        first -= 1 << 16  # Written as if values had no sign.
    data = item.LUTData
    if isinstance(data, bytes):
        word = "u1" if len(data) < 2 * count else f"{values.byte_order}u2"
        entries = np.frombuffer(data, word)[:count].astype(word[-2:], copy=False)
    else:
        entries = np.atleast_1d(np.asarray(data))[:count]
    if len(entries) < count or bits > _MOST_BITS:
        raise ValueError("other entries than stated")
    # A few tables hold larger numbers than their descriptor admits.
    white = max((1 << bits) - 1, int(entries.max()))
    return LookupTable(first, entries, float(white) if scaled else None)
