"""How an image came about, from a DICOM header: one exposure, or computed from several."""

import re

from pydicom import uid

from mammography.preparation.headers.header_values import HeaderValues
from mammography.preparation.rejection import RejectedImage
from mammography.terms import ImageKind

Kind = tuple[ImageKind | None, str | None]

_VOLUMES = {
    uid.BreastTomosynthesisImageStorage,
    # Machines that knew no better stored the slices of a breast as those of a body.
    uid.CTImageStorage,
    uid.EnhancedCTImageStorage,
    uid.LegacyConvertedEnhancedCTImageStorage,
}
_SLICES = {"TOMOSYNTHESIS", "TOMO", "VOLUME"}  # Of Image Type, from its third value on.
_PROJECTIONS = {"MAX_IP", "MIN_IP", "VOLUME_RENDER", "SURFACE_RENDER"}
_DESCRIPTIONS = ("SeriesDescription", "AcquisitionDeviceProcessingDescription", "ProtocolName")
# C-View, Intelligent 2D (Hologic), V-Preview (GE), Insight 2D (Siemens), S-View (Fujifilm),
# G-View (IMS).
_SYNTHETIC = re.compile(
    r"\b(?:[CGS][ _-]?VIEW|V[ _-]?PREVIEW|(?:INSIGHT|INTELLIGENT|GENERATED)[ _-]?2D)\b|\bSYNTH"
)
_TOMOSYNTHESIS = re.compile(r"\bTOMO\w*[ _-]+(?:RECON\w*|SLICES?|PROJECTIONS?)\b")
_PRIVATE_VOLUME = (0x7E01, 0x1010)  # Of Hologic: a sequence of compressed slices.


def read_kind(values: HeaderValues, frames: int, doubts: list[str]) -> Kind:
    """Tell what kind of image it is, and by which attribute.

    Without a sign of anything else it is a mammogram, and the attribute is none. The free
    text of a series is read to decide, and is not kept.

    Args:
        values: The header.
        frames: How many frames the file holds.
        doubts: Takes what is odd.

    Raises:
        RejectedImage: If the volume lies in private elements.

    References:
        DICOM PS3.3, C.8.11.7.1.4, C.8.21.1 and C.8.21.6.1.1 (Image Type).
    """
    is_captured = values.text("SOPClassUID") == uid.SecondaryCaptureImageStorage
    if is_captured and values.has(_PRIVATE_VOLUME):
        # Its picture stands in for the slices, which none but the maker can read.
        raise RejectedImage("tomosynthesis in private elements")
    types = set(values.words("ImageType")[2:] + values.words("FrameType")[2:])
    if "TOMO_PROJ" in types:
        doubts.append("a projection of tomosynthesis, made with a part of the dose")
    for decide in (_by_type, _by_technique, _by_volume, _by_description, _by_remainder):
        kind = decide(values, types, frames)
        if kind:
            break
    if kind == (None, "ImageType"):
        doubts.append("whether the image was computed from tomosynthesis is not told")
    return kind or (ImageKind.MAMMOGRAM, None)


def _by_type(values: HeaderValues, types: set[str], frames: int) -> Kind | None:
    return (ImageKind.SYNTHETIC, "ImageType") if "GENERATED_2D" in types else None


def _by_technique(values: HeaderValues, types: set[str], frames: int) -> Kind | None:
    technique = "VolumeBasedCalculationTechnique"
    found = frames == 1 and values.text(technique) in _PROJECTIONS
    return (ImageKind.SYNTHETIC, technique) if found else None


def _by_volume(values: HeaderValues, types: set[str], frames: int) -> Kind | None:
    if values.text("SOPClassUID") in _VOLUMES:
        return ImageKind.TOMOSYNTHESIS, "SOPClassUID"
    return (ImageKind.TOMOSYNTHESIS, "NumberOfFrames") if frames > 1 else None


def _by_description(values: HeaderValues, types: set[str], frames: int) -> Kind | None:
    patterns = {ImageKind.SYNTHETIC: _SYNTHETIC, ImageKind.TOMOSYNTHESIS: _TOMOSYNTHESIS}
    for kind, pattern in patterns.items():
        for keyword in _DESCRIPTIONS:
            if pattern.search(values.text(keyword)):
                return kind, keyword
    return None


def _by_remainder(values: HeaderValues, types: set[str], frames: int) -> Kind | None:
    if types & (_SLICES | {"TOMO_PROJ"}):
        return ImageKind.TOMOSYNTHESIS, "ImageType"
    # Machines write it for synthetic images and for exposures beside tomosynthesis alike.
    return (None, "ImageType") if "TOMO_2D" in types else None
