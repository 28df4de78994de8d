"""How the pixels of a DICOM file lie, as its header says: refused where it cannot be."""

from pydicom import Dataset

from mammography.preparation.decoding.frames import MOST_FRAMES
from mammography.preparation.decoding.limits import check_size
from mammography.preparation.rejection import RejectedImage

_NEEDED = ("Rows", "Columns", "BitsAllocated", "PhotometricInterpretation")
# Lowest and highest value; that of BitsStored is BitsAllocated.
_PLAUSIBLE = {
    "Rows": (1, 65535),
    "Columns": (1, 65535),
    "SamplesPerPixel": (1, 65535),
    "BitsAllocated": (1, 64),
    "BitsStored": (1, 64),
    "HighBit": (0, 63),
    "PixelRepresentation": (0, 1),
    "NumberOfFrames": (0, MOST_FRAMES),
}


def check_layout(dataset: Dataset) -> None:
    """Refuse what is no grey picture, or does not say how its pixels lie.

    After it all of these attributes are whole numbers, or not stated.

    Raises:
        RejectedImage: Naming the attribute.
    """
    for keyword in _NEEDED:
        if not dataset.get(keyword):
            raise RejectedImage(f"no {keyword} in the header")
    for keyword, (low, high) in _PLAUSIBLE.items():
        value = dataset.get(keyword)
        if value is not None and not (isinstance(value, int) and low <= value <= high):
            raise RejectedImage(f"implausible {keyword}")
    check_size(dataset.Rows, dataset.Columns)
    grey = dataset.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2")
    if not grey or (dataset.get("SamplesPerPixel") or 1) != 1:
        raise RejectedImage("colour image")
    stored = dataset.get("BitsStored") or dataset.BitsAllocated
    if stored > dataset.BitsAllocated:
        raise RejectedImage("implausible BitsStored")
    if dataset.get("HighBit") not in (None, stored - 1):
        raise RejectedImage("unsupported pixel layout (high bit)")
