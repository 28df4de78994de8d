"""What a DICOM header says about a mammogram, without anything about the patient."""

from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset

from mammography.functional.intensity import Map
from mammography.preparation.decoding.decode import syntax_name, transfer_syntax
from mammography.preparation.decoding.discretion import discretion
from mammography.preparation.headers.header_grey import (
    Raw,
    read_intent,
    read_modality,
    read_padding,
    read_sense,
    read_voi,
)
from mammography.preparation.headers.header_kind import read_kind
from mammography.preparation.headers.header_values import HeaderValues, count_frames
from mammography.preparation.headers.header_view import View, read_view
from mammography.preparation.rejection import RejectedImage
from mammography.terms import ImageKind, Laterality, ViewModifier, ViewPosition

_SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing")
_PLAUSIBLE_SPACING_MM = (0.005, 5.0)
_PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422")
_YES = {"YES": True, "NO": False}
# What is taken where a header does not tell, and can be meant in no other way.
_USUAL = {
    "SamplesPerPixel": "1",
    "BitsStored": "BitsAllocated",
    "HighBit": "BitsStored - 1",
    "PixelRepresentation": "unsigned",
}
_UNKNOWN_OF_PLAIN_FILES = (
    "photometric", "dense_values_source", "transfer_syntax", "lossy", "frame_taken",
    "presentation_intent", "raw_values", "image_kind", "image_kind_source", "implant",
    "overlays", "burned_in_annotation", "laterality_source", "view_source", "spacing_source",
)  # fmt: skip
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
_OVERLAY_ROWS = 0x0010


@dataclass(frozen=True, eq=False)
class Header:
    """What is needed to prepare an image.

    Attributes:
        inverted: Whether low values are dense (MONOCHROME1).
        raw: What the values are if they are for processing; none of an image to be shown.
        bits_stored: Bits of a stored value.
        laterality: Side of the breast.
        view_position: Projection.
        view_modifiers: What changes the view.
        manufacturer: Maker of the machine.
        pixel_spacing_mm: Size of a pixel as (row, column).
        padding: Lowest and highest value that stands for no image.
        modality: Map from stored to modality values; none where it changes nothing.
        voi: Map from modality values to grey; none where the header gives no range.
        implant: Whether there is a breast implant; none if that is not told.
        facts: Plain values to keep with the image.
        doubts: What is odd.
    """

    inverted: bool = False
    raw: Raw | None = None
    bits_stored: int = 16
    laterality: Laterality | None = None
    view_position: ViewPosition | None = None
    view_modifiers: tuple[ViewModifier, ...] = ()
    manufacturer: str | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    padding: tuple[float, float] | None = None
    modality: Map | None = None
    voi: Map | None = None
    implant: bool | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


def plain_header(file_format: str, bits: int) -> Header:
    """Return what is known of an image without a header."""
    facts = {"file_format": file_format, "bits_allocated": bits, "bits_stored": bits}
    facts |= {"view_modifiers": [], "dense_values": "high", "frames": 1, "reduced": 0}
    return Header(bits_stored=bits, facts=dict.fromkeys(_UNKNOWN_OF_PLAIN_FILES) | facts)


def read_header(dataset: Dataset, window_index: int = 0, frame: int | None = None) -> Header:
    """Read what a data set says about its image.

    Args:
        dataset: A data set as pydicom gives it.
        window_index: Which of several windows or lookup tables to take.
        frame: Index of the frame whose header to read; by default the middle one.

    Raises:
        RejectedImage: If the header is broken, holds windows or lookup tables but none of
            that index, or says that the image lies elsewhere.
    """
    with discretion():
        try:
            frames = count_frames(dataset)
            values = HeaderValues(dataset, frames // 2 if frame is None else frame)
            return _read_header(dataset, values, frames, window_index)
        except (RejectedImage, MemoryError):
            raise
        except Exception as error:  # A damaged header breaks pydicom in many ways.
            raise RejectedImage(f"broken header ({type(error).__name__})") from error


def windows_differ(dataset: Dataset, frames: int) -> bool:
    """Whether not all frames of a file have the same windows."""
    with discretion():
        found = {
            tuple(tuple(values.numbers(keyword)) for keyword in ("WindowCenter", "WindowWidth"))
            for values in (HeaderValues(dataset, frame) for frame in range(frames))
        }
    return len(found) > 1


def _read_header(dataset: Dataset, values: HeaderValues, frames: int, window_index: int) -> Header:
    doubts: list[str] = []
    kind, kind_source = read_kind(values, frames, doubts)
    spacing, spacing_source = _spacing(values, kind, doubts)
    view = read_view(values, doubts)
    voi, voi_facts = read_voi(values, window_index, doubts)
    allocated = int(dataset.BitsAllocated)
    bits = int(dataset.get("BitsStored") or allocated)
    intent = read_intent(values)
    inverted, raw = read_sense(values, intent)
    if raw:
        doubts.append("pixels are for processing, not for presentation")
    _doubt_what_is_missing(dataset, values, doubts)
    implant = _YES.get(values.text("BreastImplantPresent"))
    return Header(
        inverted=inverted,
        raw=raw,
        bits_stored=bits,
        laterality=view.laterality,
        view_position=view.position,
        view_modifiers=view.modifiers,
        manufacturer=" ".join(str(dataset.get("Manufacturer") or "").split()) or None,
        pixel_spacing_mm=spacing,
        padding=read_padding(
            values, "i" if dataset.get("PixelRepresentation") else "u", (allocated, bits), doubts
        ),
        modality=read_modality(values, doubts),
        voi=voi,
        implant=implant,
        facts={
            "file_format": "DICOM",
            "image_kind": kind,
            "image_kind_source": kind_source,
            "photometric": values.word("PhotometricInterpretation", _PHOTOMETRIC),
            "dense_values": "low" if inverted else "high",
            "dense_values_source": raw.sense_source if raw else "PhotometricInterpretation",
            "bits_allocated": allocated,
            "bits_stored": bits,
            "transfer_syntax": syntax_name(transfer_syntax(dataset)),
            "presentation_intent": intent,
            "raw_values": None,
            "lossy": values.text("LossyImageCompression") == "01",
            "frames": frames,
            "frame_taken": None,
            "reduced": 0,
            "overlays": sum((group, _OVERLAY_ROWS) in dataset for group in _OVERLAY_GROUPS),
            "burned_in_annotation": _YES.get(values.text("BurnedInAnnotation")),
            "implant": implant,
            **_view_facts(view),
            "spacing_source": spacing_source,
            "voi": voi_facts,
        },
        doubts=doubts,
    )


def _view_facts(view: View) -> dict[str, Any]:
    return {
        "laterality_source": view.laterality_source,
        "view_source": view.position_source,
        "view_modifiers": list(view.modifiers),
    }


def _doubt_what_is_missing(dataset: Dataset, values: HeaderValues, doubts: list[str]) -> None:
    modality = values.text("Modality")
    if modality != "MG":
        doubts.append("modality is not MG" if modality else "no modality stated")
    if not getattr(dataset, "file_meta", {}).get("TransferSyntaxUID"):
        doubts.append("no transfer syntax stated")
    for keyword, usual in _USUAL.items():
        if not values.is_stated(keyword):
            doubts.append(f"no {keyword} stated, {usual} was taken")


def _spacing(
    values: HeaderValues, kind: ImageKind | None, doubts: list[str]
) -> tuple[tuple[float, float] | None, str | None]:
    low, high = _PLAUSIBLE_SPACING_MM
    # The slices of a volume have another spacing than the detector.
    is_slice = kind is ImageKind.TOMOSYNTHESIS
    for keyword in sorted(_SPACINGS, key=lambda name: is_slice and name != "PixelSpacing"):
        numbers = values.numbers(keyword)
        if len(numbers) == 2 and all(low <= number <= high for number in numbers):
            if max(values.numbers("EstimatedRadiographicMagnificationFactor"), default=1) > 1.2:
                doubts.append("magnified view: pixel spacing is that of the detector")
            return (numbers[0], numbers[1]), keyword
        if values.is_stated(keyword):
            doubts.append(f"{keyword} is implausible and was ignored")
    return None, None
