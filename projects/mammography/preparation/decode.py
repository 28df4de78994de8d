"""DICOM file to stored pixel values, bit for bit."""

import warnings
from pathlib import Path

import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import get_frame
from pydicom.errors import InvalidDicomError
from pydicom.pixels.utils import get_j2k_parameters

from mammography.preparation import codecs
from mammography.preparation.codecs import Pixels
from mammography.preparation.codestream import read_jpeg_header
from mammography.preparation.rejection import RejectedImage, TemporaryRejection

_LITTLE_ENDIAN = {
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
}
_LARGEST = 400_000_000  # Pixels; a large film scanned at 25 micrometres has 120 million.
_NATIVE = _LITTLE_ENDIAN | {uid.ExplicitVRBigEndian}


def read_stored_pixels(path: str | Path) -> tuple[pydicom.Dataset, Pixels]:
    """Read a DICOM file and decode its one grey frame.

    pydicom reads the header and takes the pixel data out of their capsule; imagecodecs
    decodes them. Bits above the stored ones are cleared and signs extended as pydicom does.
    No modality or display transform is applied.

    Shapes:
        returns: The data set and pixels of (H, W).

    Args:
        path: A DICOM file; one without preamble or transfer syntax is read as well.

    Returns:
        The data set as pydicom gives it, and the stored values in the type that
        BitsAllocated and PixelRepresentation name.

    Raises:
        RejectedImage: If the file is no DICOM file or cut short; holds no pixels, several
            frames or colours; or its pixel data are corrupt or in an unknown coding.
    """
    dataset = read_dataset(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom quotes the values that it finds odd.
        try:
            _check_one_grey_frame(dataset)
            pixels = _decode(dataset, transfer_syntax(dataset))
        except RejectedImage:
            raise
        except Exception as error:  # A damaged header breaks pydicom in many ways.
            raise RejectedImage(f"broken header ({type(error).__name__})") from error
    return dataset, pixels


def transfer_syntax(dataset: pydicom.Dataset) -> uid.UID:
    """Return the transfer syntax, or the one that pydicom found at work if none is given."""
    stated = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if stated:
        return uid.UID(stated)
    implicit, little_endian = dataset.original_encoding
    if not little_endian:
        return uid.ExplicitVRBigEndian
    return uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian


def read_dataset(path: str | Path, stop_before_pixels: bool = False) -> pydicom.Dataset:
    """Read a DICOM file.

    Args:
        path: A DICOM file; one without preamble or transfer syntax is read as well.
        stop_before_pixels: Read the header only.

    Raises:
        RejectedImage: If the file is no DICOM file or cut short.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=stop_before_pixels)
        except InvalidDicomError:
            dataset = _read_without_preamble(path, stop_before_pixels)
        except OSError as error:
            raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error
        except Exception as error:  # zlib, struct, EOF: the data set cannot be walked through.
            raise RejectedImage("truncated or corrupt file") from error
    if any("End of file" in str(warning.message) for warning in caught):
        raise RejectedImage("truncated file")
    return dataset


def _read_without_preamble(path: str | Path, stop_before_pixels: bool) -> pydicom.Dataset:
    try:
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=stop_before_pixels)
        plausible = {"Rows", "Columns", "BitsAllocated"} <= {e.keyword for e in dataset}
    except Exception as error:  # What is no DICOM breaks the parser in any way.
        raise RejectedImage("not a DICOM file") from error
    if not plausible:
        raise RejectedImage("not a DICOM file")
    return dataset


def _check_one_grey_frame(dataset: pydicom.Dataset) -> None:
    if "PixelData" not in dataset:
        raise RejectedImage("no pixel data")
    for keyword in ("Rows", "Columns", "BitsAllocated", "PhotometricInterpretation"):
        if not dataset.get(keyword):
            raise RejectedImage(f"no {keyword} in the header")
    if dataset.Rows * dataset.Columns > _LARGEST:
        raise RejectedImage("implausible size")
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise RejectedImage("multi-frame image")
    grey = dataset.PhotometricInterpretation in ("MONOCHROME1", "MONOCHROME2")
    if not grey or int(dataset.get("SamplesPerPixel") or 1) != 1:
        raise RejectedImage("colour image")
    stored = int(dataset.get("BitsStored") or dataset.BitsAllocated)
    if int(dataset.get("HighBit", stored - 1)) != stored - 1:
        raise RejectedImage("unsupported pixel layout (high bit)")


def _decode(dataset: pydicom.Dataset, syntax: uid.UID) -> Pixels:
    if syntax in _NATIVE:
        return _decode_native(dataset, syntax)
    if syntax not in codecs.COMPRESSED:
        raise RejectedImage(f"unsupported transfer syntax ({syntax_name(syntax)})")
    try:
        stream = get_frame(dataset.PixelData, 0, number_of_frames=1)
    except Exception as error:
        raise RejectedImage(f"corrupt {syntax.name} stream") from error
    size_hw, sample_bytes = (dataset.Rows, dataset.Columns), dataset.BitsAllocated // 8
    pixels = codecs.decode_frame(
        stream, syntax, size_hw, sample_bytes, lambda: _fall_back(dataset, syntax)
    )
    if syntax in codecs.JPEG_2000 | codecs.HTJ2K:
        # Only a sign that contradicts the header is mended, from the precision of the stream.
        coded = get_j2k_parameters(stream)
        if coded.get("is_signed") == bool(dataset.get("PixelRepresentation")):
            return pixels
        return _stored_bits(pixels, dataset, coded["precision"])
    if syntax in codecs.JPEG_LS:
        coded_bits = read_jpeg_header(stream).precision
        return _stored_bits(pixels, dataset, min(coded_bits, dataset.get("BitsStored", 16)))
    bits = dataset.get("BitsStored")
    if syntax in codecs.JPEG and read_jpeg_header(stream).precision <= (bits or 0):
        return _stored_bits(pixels, dataset, bits, may_exceed=False)
    return _stored_bits(pixels, dataset, bits)


def syntax_name(syntax: uid.UID) -> str:
    """Name a syntax of the standard; a private one could hold anything."""
    return syntax.name if syntax.is_transfer_syntax else "private"


def _decode_native(dataset: pydicom.Dataset, syntax: uid.UID) -> Pixels:
    size_hw, bits = (dataset.Rows, dataset.Columns), int(dataset.BitsAllocated)
    if len(dataset.PixelData) < (size_hw[0] * size_hw[1] * bits + 7) // 8:
        raise RejectedImage("truncated pixel data")
    if syntax not in _LITTLE_ENDIAN or bits not in (8, 16):
        return _fall_back(dataset, syntax)
    values = np.frombuffer(dataset.PixelData, f"<u{bits // 8}", size_hw[0] * size_hw[1])
    return _stored_bits(values.reshape(size_hw), dataset, dataset.get("BitsStored"))


def _fall_back(dataset: pydicom.Dataset, syntax: uid.UID) -> Pixels:
    """Let the decoders that pydicom finds have a try."""
    try:
        pixels: Pixels = dataset.pixel_array
    except Exception as error:
        raise RejectedImage(f"corrupt or unsupported {syntax_name(syntax)} pixel data") from error
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _stored_bits(
    pixels: Pixels, dataset: pydicom.Dataset, bits: int | None, may_exceed: bool = True
) -> Pixels:
    """Give the values their type, clear the unused bits and extend the sign.

    ``may_exceed`` is false where the decoder cannot give more bits than are stored.
    """
    size = int(dataset.BitsAllocated)
    unused = max(size - int(bits or size), 0)
    if not dataset.get("PixelRepresentation"):
        pixels = pixels.astype(f"u{size // 8}", copy=False)
        largest = (1 << (size - unused)) - 1
        # Looking is cheaper than a copy, and the unused bits are seldom set.
        within = not may_exceed or pixels.max() <= largest
        return pixels if within else pixels & pixels.dtype.type(largest)
    return (pixels.astype(f"i{size // 8}") << unused) >> unused
