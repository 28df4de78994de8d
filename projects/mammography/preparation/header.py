"""What a DICOM header says about a mammogram, without anything about the patient."""

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydicom import Dataset

from mammography.functional.intensity import Line, LookupTable, Map, VoiFunction, Window
from mammography.preparation.decode import syntax_name, transfer_syntax
from mammography.preparation.rejection import RejectedImage
from mammography.terms import Laterality, ViewPosition

# DICOM CID 4014, as SNOMED CT and SNOMED RT codes.
_VIEW_CODES = {
    "399162004": ViewPosition.CC, "R-10242": ViewPosition.CC,
    "399368009": ViewPosition.MLO, "R-10226": ViewPosition.MLO,
    "399260004": ViewPosition.ML, "R-10224": ViewPosition.ML,
    "399352003": ViewPosition.LM, "R-10228": ViewPosition.LM,
    "399099002": ViewPosition.LMO, "R-10230": ViewPosition.LMO,
    "399192008": ViewPosition.XCCL, "R-1024A": ViewPosition.XCCL,
    "399101009": ViewPosition.XCCM, "R-1024B": ViewPosition.XCCM,
    "399196006": ViewPosition.FB, "R-10244": ViewPosition.FB,
    "399188001": ViewPosition.SIO, "R-102D0": ViewPosition.SIO,
    "441555000": ViewPosition.ISO, "R-40AAA": ViewPosition.ISO,
}  # fmt: skip
# The part of DICOM CID 4015 that changes what a model sees.
_MODIFIER_CODES = {
    "399163009": "magnification", "R-102D6": "magnification",
    "399055006": "spot compression", "R-102D7": "spot compression",
    "399209000": "implant displaced", "R-102D5": "implant displaced",
}  # fmt: skip
_SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing")
_PLAUSIBLE_SPACING_MM = (0.005, 5.0)
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422")


@dataclass(frozen=True, eq=False)
class Header:
    """What is needed to prepare an image.

    Attributes:
        inverted: Whether low values are dense (MONOCHROME1).
        bits_stored: Bits of a stored value.
        laterality: Side of the breast.
        view_position: Projection.
        manufacturer: Maker of the machine.
        pixel_spacing_mm: Size of a pixel as (row, column).
        padding: Lowest and highest value that stands for no image.
        modality: Map from stored to modality values; none where it changes nothing.
        voi: Map from modality values to grey; none where the header gives no range.
        facts: Plain values to keep with the image.
        doubts: What is odd.
    """

    inverted: bool = False
    bits_stored: int = 16
    laterality: Laterality | None = None
    view_position: ViewPosition | None = None
    manufacturer: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    padding: tuple[float, float] | None = None
    modality: Map | None = None
    voi: Map | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


def plain_header(file_format: str, bits: int) -> Header:
    """Return what is known of an image without a header."""
    names = ("photometric", "transfer_syntax", "presentation_intent", "spacing_source", "lossy")
    facts = {"file_format": file_format, "bits_allocated": bits, "bits_stored": bits}
    unknown = dict.fromkeys((*names, "laterality_source", "view_source"))
    return Header(bits_stored=bits, facts=facts | unknown | {"view_modifiers": []})


def read_header(dataset: Dataset, window_index: int = 0) -> Header:
    """Read what a data set says about its image.

    Args:
        dataset: A data set as pydicom gives it.
        window_index: Which of several windows or lookup tables to take.

    Raises:
        RejectedImage: If the header is broken, or holds windows or lookup tables but none
            of that index.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom quotes the values that it finds odd.
        try:
            return _read_header(dataset, window_index)
        except RejectedImage:
            raise
        except Exception as error:  # A damaged header breaks pydicom in many ways.
            raise RejectedImage(f"broken header ({type(error).__name__})") from error


def _read_header(dataset: Dataset, window_index: int) -> Header:
    doubts: list[str] = []
    spacing, spacing_source = _spacing(dataset, doubts)
    laterality, laterality_source = _laterality(dataset, doubts)
    view_position, view_source = _view_position(dataset)
    voi, voi_facts = _voi(dataset, window_index, doubts)
    photometric = str(dataset.PhotometricInterpretation)
    bits = int(dataset.get("BitsStored") or dataset.BitsAllocated)
    intents = ("FOR PRESENTATION", "FOR PROCESSING")
    intent = _word(dataset, "PresentationIntentType", intents)
    if intent == "FOR PROCESSING":
        doubts.append("pixels are for processing, not for presentation")
    if str(dataset.get("Modality", "")) != "MG":
        doubts.append("modality is not MG")
    if not getattr(dataset, "file_meta", {}).get("TransferSyntaxUID"):
        doubts.append("no transfer syntax stated")
    return Header(
        inverted=photometric == "MONOCHROME1",
        bits_stored=bits,
        laterality=laterality,
        view_position=view_position,
        manufacturer=" ".join(str(dataset.get("Manufacturer") or "").split()) or None,
        pixel_spacing_mm=spacing,
        padding=_padding(dataset),
        modality=_modality(dataset, doubts),
        voi=voi,
        facts={
            "file_format": "DICOM",
            "photometric": _word(dataset, "PhotometricInterpretation", _PHOTOMETRIC),
            "bits_allocated": int(dataset.BitsAllocated),
            "bits_stored": bits,
            "transfer_syntax": syntax_name(transfer_syntax(dataset)),
            "presentation_intent": intent,
            "lossy": str(dataset.get("LossyImageCompression", "")) == "01",
            "laterality_source": laterality_source,
            "view_source": view_source,
            "view_modifiers": _modifiers(dataset),
            "spacing_source": spacing_source,
            "voi": voi_facts,
        },
        doubts=doubts,
    )


def _word(dataset: Dataset, keyword: str, words: Iterable[str]) -> str | None:
    value = str(dataset.get(keyword, "")).strip().upper()
    return value if value in words else None


def _laterality(dataset: Dataset, doubts: list[str]) -> tuple[Laterality | None, str | None]:
    """Return the side and the attribute that it comes from."""
    stated = {k: _word(dataset, k, tuple(Laterality)) for k in ("ImageLaterality", "Laterality")}
    sides = [(Laterality(side), keyword) for keyword, side in stated.items() if side]
    if len({side for side, _ in sides}) > 1:
        doubts.append("Laterality contradicts ImageLaterality, which was taken")
    return sides[0] if sides else (None, None)


def _view_position(dataset: Dataset) -> tuple[ViewPosition | None, str | None]:
    """Return the view by name, by code, or where a scanner program put it, and which."""
    name = _word(dataset, "ViewPosition", tuple(ViewPosition))
    codes = [_VIEW_CODES[c] for c in _codes(dataset.get("ViewCodeSequence")) if c in _VIEW_CODES]
    orientation = dataset.get("PatientOrientation") or ""
    if not isinstance(orientation, str):
        orientation = "".join(orientation)
    words = [("ViewPosition", name), *(("ViewCodeSequence", code) for code in codes)]
    words.append(("PatientOrientation", orientation.strip().upper()))
    found = ((ViewPosition(w), source) for source, w in words if w in tuple(ViewPosition))
    return next(found, (None, None))


def _codes(sequence: Any) -> list[str]:
    return [str(item.get("CodeValue", "")) for item in sequence or ()]


def _modifiers(dataset: Dataset) -> list[str]:
    items = [dataset, *(dataset.get("ViewCodeSequence") or ())]
    found = [code for item in items for code in _codes(item.get("ViewModifierCodeSequence"))]
    return sorted({_MODIFIER_CODES[code] for code in found if code in _MODIFIER_CODES})


def _numbers(dataset: Dataset, keyword: str) -> list[float]:
    """Return the values of an attribute; none of them if one is no finite number."""
    try:
        value: Any = dataset.get(keyword)
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        numbers = [float(v) for v in values if v is not None]
    except (TypeError, ValueError):
        return []
    return numbers if all(map(math.isfinite, numbers)) else []


def _is_stated(dataset: Dataset, keyword: str) -> bool:
    """Whether an attribute has a value, be it one that cannot be read."""
    item = dataset.get_item(keyword)
    return item is not None and item.value not in (None, b"", "")


def _spacing(dataset: Dataset, doubts: list[str]) -> tuple[tuple[float, float] | None, str | None]:
    low, high = _PLAUSIBLE_SPACING_MM
    for keyword in _SPACINGS:
        numbers = _numbers(dataset, keyword)
        if len(numbers) == 2 and all(low <= number <= high for number in numbers):
            if max(_numbers(dataset, "EstimatedRadiographicMagnificationFactor"), default=1) > 1.2:
                doubts.append("magnified view: pixel spacing is that of the detector")
            return (numbers[0], numbers[1]), keyword
        if dataset.get(keyword):
            doubts.append(f"{keyword} is implausible and was ignored")
    return None, None


def _padding(dataset: Dataset) -> tuple[float, float] | None:
    ends = _numbers(dataset, "PixelPaddingValue") + _numbers(dataset, "PixelPaddingRangeLimit")
    return (min(ends), max(ends)) if ends and dataset.get("PixelPaddingValue") is not None else None


def _modality(dataset: Dataset, doubts: list[str]) -> Map | None:
    if dataset.get("ModalityLUTSequence"):
        return _table(dataset.ModalityLUTSequence[0], scaled=False)
    for keyword in ("RescaleSlope", "RescaleIntercept"):
        if _is_stated(dataset, keyword) and not _numbers(dataset, keyword):
            doubts.append(f"{keyword} is no number and was ignored")
    slope = (_numbers(dataset, "RescaleSlope") or [1.0])[0]
    intercept = (_numbers(dataset, "RescaleIntercept") or [0.0])[0]
    if slope == 0:
        doubts.append("RescaleSlope is 0 and was ignored")
        return None
    return None if (slope, intercept) == (1, 0) else Line(slope, intercept)


def _voi(
    dataset: Dataset, index: int, doubts: list[str]
) -> tuple[Map | None, dict[str, Any] | None]:
    """Return the map of the chosen lookup table or window; tables go first."""
    tables = dataset.get("VOILUTSequence")
    if tables:
        table = _table(_pick(tables, index), scaled=True)
        count = {"entries": len(table.entries), "first": table.first, "white": table.white}
        return table, {"kind": "lut", "index": index, "of": len(tables), **count}
    centers, widths = _numbers(dataset, "WindowCenter"), _numbers(dataset, "WindowWidth")
    if not centers or len(centers) != len(widths):
        if dataset.get("WindowCenter") is not None or dataset.get("WindowWidth") is not None:
            doubts.append("the window is incomplete and was ignored")
        return None, None
    stated = str(dataset.get("VOILUTFunction") or VoiFunction.LINEAR)
    function = _word(dataset, "VOILUTFunction", tuple(VoiFunction)) or VoiFunction.LINEAR
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


def _table(item: Dataset, scaled: bool) -> LookupTable:
    count, first, bits = (int(v) for v in item.LUTDescriptor)
    count = count or 65536
    data = item.LUTData
    if isinstance(data, bytes):
        entries = np.frombuffer(data, np.uint8 if len(data) < 2 * count else "<u2")[:count]
    else:
        entries = np.atleast_1d(np.asarray(data))[:count]
    if not entries.size:
        raise RejectedImage("broken lookup table")
    # A few tables hold larger numbers than their descriptor admits.
    white = max((1 << bits) - 1, int(entries.max()))
    return LookupTable(first, entries, float(white) if scaled else None)
