"""DICOM file to stored pixel values, bit for bit."""

import copy
import warnings
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info

from mammography.preparation.decoding import codecs
from mammography.preparation.decoding.bounded_file import BoundedFile
from mammography.preparation.decoding.codecs import Pixels
from mammography.preparation.decoding.deflated import check_inflated_size
from mammography.preparation.decoding.discretion import discretion
from mammography.preparation.decoding.frames import (
    FrameChoice,
    Frames,
    choose_frames,
    encapsulated_frames,
    find_value,
    native_frames,
)
from mammography.preparation.decoding.pixel_layout import check_layout
from mammography.preparation.rejection import RejectedImage, TemporaryRejection

_NATIVE_BITS = (1, 8, 16, 32)


class StoredImage(NamedTuple):
    """What a DICOM file stores.

    Attributes:
        dataset: The header as pydicom gives it, without the pixel data.
        pixels: Stored values of (H, W), in the type that BitsAllocated and
            PixelRepresentation name.
        frame: Index from 0 of the frame that was taken; none for a projection of all.
        frames: How many frames the file holds.
        halvings: How many times the picture was halved. Pixel (i, j) of a picture halved n
            times lies where pixel (2^n i, 2^n j) lay, and its size is rounded up.
        doubts: What is odd about the pixel data.
    """

    dataset: pydicom.Dataset
    pixels: Pixels
    frame: int | None = 0
    frames: int = 1
    halvings: int = 0
    doubts: tuple[str, ...] = ()


def read_stored_pixels(
    path: str | Path, frames: FrameChoice = "refuse", reduce: int = 0
) -> StoredImage:
    """Read a DICOM file and decode its one grey frame, or what is asked for of several.

    pydicom reads the header, imagecodecs decodes. Frames that are not asked for are not
    read, and a projection holds two pictures in memory however many frames there are. Bits
    above the stored ones are cleared and signs extended as pydicom does. No modality or
    display transform is applied.

    Args:
        path: A DICOM file; one without preamble or transfer syntax is read as well.
        frames: What to make of several frames: ``refuse`` them; take the ``middle`` one, or
            the one of an index from 0; or project all by ``max``, the densest value of each
            pixel, which is the largest one, of MONOCHROME1 the smallest. A single frame is
            taken whatever is asked for.
        reduce: How many times to halve a JPEG 2000 picture by leaving out its finest
            resolutions, which saves most of the time. Pictures of fewer resolutions are
            halved as often as they can be, those in other syntaxes, which are fast, never:
            see ``halvings``.

    Raises:
        RejectedImage: If the file is no DICOM file or cut short; holds no pixels, colours,
            or several frames that are refused; or its pixel data are corrupt or in a coding
            that there is no decoder for.
    """
    try:
        with BoundedFile(path) as file, discretion():
            return _read(_read_header(file), file, frames, reduce)
    except (RejectedImage, MemoryError):
        raise
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error
    except Exception as error:  # A damaged header breaks pydicom in many ways.
        raise RejectedImage(f"broken header ({type(error).__name__})") from error


def transfer_syntax(dataset: pydicom.Dataset) -> uid.UID:
    """Return the transfer syntax, or the one that pydicom found at work if none is given."""
    stated = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if stated:
        return uid.UID(stated)
    implicit, little_endian = dataset.original_encoding
    if not little_endian:
        return uid.ExplicitVRBigEndian
    return uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian


def syntax_name(syntax: uid.UID) -> str:
    """Name a syntax of the standard; a private one could hold anything."""
    return codecs.name(syntax)


def read_dataset(path: str | Path) -> pydicom.Dataset:
    """Read the header of a DICOM file: all that precedes its pixel data.

    Args:
        path: A DICOM file; one without preamble or transfer syntax is read as well.

    Raises:
        RejectedImage: If the file is no DICOM file or cut short.
    """
    try:
        with BoundedFile(path) as file:
            return _read_header(file)
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error


def _read_header(file: BinaryIO) -> pydicom.Dataset:
    """Read up to the pixel data, where the file is left."""
    with discretion(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_inflated_size(file)
            dataset = pydicom.dcmread(file, stop_before_pixels=True)
        except InvalidDicomError:
            dataset = _read_without_preamble(file)
        except (MemoryError, RejectedImage):
            raise
        except Exception as error:  # zlib, struct, EOF: the data set cannot be walked through.
            if isinstance(error, OSError) and error.errno is not None:
                raise  # Of the machine; pydicom raises its own ones without a number.
            syntax = _stated_syntax(file.name)
            if syntax and not codecs.is_known(syntax):
                raise _unsupported(syntax) from error
            raise RejectedImage("truncated or corrupt file") from error
    if any("End of file" in str(warning.message) for warning in caught):
        raise RejectedImage("truncated file")
    return dataset


def _stated_syntax(path: str) -> uid.UID | None:
    """Return the transfer syntax of a file whose data set cannot be read."""
    try:
        syntax = read_file_meta_info(path).get("TransferSyntaxUID")
    except Exception:  # What precedes the data set may be damaged as well.
        return None
    return uid.UID(syntax) if syntax else None


def _read_without_preamble(file: BinaryIO) -> pydicom.Dataset:
    file.seek(0)
    try:
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=True)
        plausible = {"Rows", "Columns", "BitsAllocated"} <= {e.keyword for e in dataset}
    except MemoryError:
        raise
    except Exception as error:  # What is no DICOM breaks the parser in any way.
        raise RejectedImage("not a DICOM file") from error
    if not plausible:
        raise RejectedImage("not a DICOM file")
    return dataset


def _unsupported(syntax: uid.UID) -> RejectedImage:
    return RejectedImage(f"unsupported transfer syntax ({syntax_name(syntax)})")


def _read(
    dataset: pydicom.Dataset, file: BinaryIO, choice: FrameChoice, reduce: int
) -> StoredImage:
    syntax = transfer_syntax(dataset)
    if not codecs.is_known(syntax):
        raise _unsupported(syntax)
    # A deflated data set lies in a buffer of pydicom.
    value = find_value(dataset.buffer or file, syntax != uid.ExplicitVRBigEndian)
    check_layout(dataset)
    stated = int(dataset.get("NumberOfFrames") or 0)
    choose_frames(choice, stated or 1)  # Before anything is searched for.
    if syntax in codecs.NATIVE:
        size_hw = int(dataset.Rows), int(dataset.Columns)
        frames = native_frames(value, size_hw, int(dataset.BitsAllocated), stated)
    else:
        extended = dataset.get("ExtendedOffsetTable")
        frames = encapsulated_frames(value, stated, extended, syntax in codecs.END_MARKED)
    chosen = choose_frames(choice, len(frames))
    pixels, halvings = _project(dataset, syntax, frames, chosen, reduce)
    doubts = ("the pixel data are longer than rows and columns tell",) if frames.surplus else ()
    frame = chosen[0] if len(chosen) == 1 else None
    return StoredImage(dataset, pixels, frame, len(frames), halvings, doubts)


def _project(
    dataset: pydicom.Dataset, syntax: uid.UID, frames: Frames, chosen: range, reduce: int
) -> tuple[Pixels, int]:
    """Decode frames and keep the densest value of each pixel; return also the halvings."""

    def decode(index: int) -> tuple[Pixels, int]:
        if syntax in codecs.NATIVE:
            return _decode_native(dataset, syntax, frames.read_array(index)), 0
        return _decode_compressed(dataset, syntax, frames.read(index), reduce)

    first, *others = chosen
    pixels, halvings = decode(first)
    if others and not pixels.flags.writeable:
        pixels = pixels.copy()
    densest = np.minimum if dataset.PhotometricInterpretation == "MONOCHROME1" else np.maximum
    for index in others:
        densest(pixels, decode(index)[0], out=pixels)
    return pixels, halvings


def _decode_compressed(
    dataset: pydicom.Dataset, syntax: uid.UID, data: bytes, reduce: int
) -> tuple[Pixels, int]:
    """Decode one frame to stored values; return also how many times it was halved."""
    size_hw, bits = (dataset.Rows, dataset.Columns), int(dataset.BitsAllocated)
    stored = int(dataset.get("BitsStored") or bits)
    if bits not in (8, 16, 32) or stored > bits:
        raise RejectedImage("unsupported pixel layout (bits allocated)")
    frame = codecs.decode_frame(
        data, syntax, size_hw, bits // 8, lambda: _fall_back(dataset, syntax, data), reduce
    )
    if frame.samples.itemsize > bits // 8:
        raise RejectedImage(f"corrupt {syntax_name(syntax)} stream: it has more bits than stated")
    signed = bool(dataset.get("PixelRepresentation"))
    if not frame.halvings:
        pixels = _stored_bits(frame.samples, dataset, _bits_that_count(frame, dataset, syntax))
        return pixels, 0
    if frame.signed != signed:
        # Where values wrap around, mended ones have other means than those of the stream.
        return _decode_compressed(dataset, syntax, data, 0)
    # Low-pass filters overshoot at edges.
    low, high = -signed << (stored - 1), (1 << (stored - signed)) - 1
    return np.clip(_stored_bits(frame.samples, dataset, bits), low, high), frame.halvings


def _bits_that_count(frame: codecs.Frame, dataset: pydicom.Dataset, syntax: uid.UID) -> int:
    """Return how many bits of a decoded sample are the stored value, as pydicom sees it."""
    allocated = int(dataset.BitsAllocated)
    stored = int(dataset.get("BitsStored") or allocated)
    if frame.precision is None:
        return stored
    signed = bool(dataset.get("PixelRepresentation"))
    if frame.signed is not None:
        # Only a sign that contradicts the header is mended, from the precision of the stream.
        return allocated if frame.signed == signed else frame.precision
    if syntax in codecs.JPEG_LS:
        return min(frame.precision, stored)
    # A decoder of JPEG gives no more bits than the stream has: there is nothing to clear.
    return allocated if frame.precision <= stored and not signed else stored


def _decode_native(dataset: pydicom.Dataset, syntax: uid.UID, data: NDArray[np.uint8]) -> Pixels:
    bits, size_hw = int(dataset.BitsAllocated), (int(dataset.Rows), int(dataset.Columns))
    if bits not in _NATIVE_BITS:
        raise RejectedImage("unsupported pixel layout (bits allocated)")
    if bits not in (8, 16):
        return _fall_back(dataset, syntax, data.tobytes())
    order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
    values = data.view(f"{order}u{bits // 8}")
    values = values.astype(values.dtype.newbyteorder("="), copy=False).reshape(size_hw)
    return _stored_bits(values, dataset, dataset.get("BitsStored"))


def _fall_back(dataset: pydicom.Dataset, syntax: uid.UID, data: bytes) -> Pixels:
    """Let the decoders that pydicom finds have a try at one frame."""
    one = copy.copy(dataset)
    one.NumberOfFrames = 1
    one.PixelData = data if syntax in codecs.NATIVE else encapsulate([data])
    one["PixelData"].VR = "OW" if syntax in codecs.NATIVE else "OB"
    one.file_meta = pydicom.dataset.FileMetaDataset()
    one.file_meta.TransferSyntaxUID = syntax
    try:
        pixels: Pixels = one.pixel_array
    except MemoryError:
        raise
    except Exception as error:
        raise RejectedImage(f"corrupt or unsupported {syntax_name(syntax)} pixel data") from error
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _stored_bits(pixels: Pixels, dataset: pydicom.Dataset, bits: int | None) -> Pixels:
    """Give the values their type, clear the unused bits and extend the sign."""
    size, kind = int(dataset.BitsAllocated), "i" if dataset.get("PixelRepresentation") else "u"
    wanted = np.dtype(f"{kind}{size // 8}")
    same_size = pixels.dtype.itemsize == wanted.itemsize
    pixels = pixels.view(wanted) if same_size else pixels.astype(wanted)
    unused = max(size - int(bits or size), 0)
    # Looking is cheaper than a copy, and the unused bits are seldom set.
    if kind == "u":
        largest = (1 << (size - unused)) - 1
        within = not unused or pixels.max() <= largest
        return pixels if within else np.bitwise_and(pixels, wanted.type(largest))
    limit = 1 << (size - unused - 1)
    if not unused or (-limit <= pixels.min() and pixels.max() < limit):
        return pixels
    extended = np.left_shift(pixels, unused)
    return np.right_shift(extended, unused, out=extended)
