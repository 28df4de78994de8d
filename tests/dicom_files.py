"""Tiny DICOM files for tests, in every transfer syntax that can be encoded here."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.encoders import RLELosslessEncoder


def draw_breast(size_hw=(300, 200), top=3000, noise=0.0, seed=0):
    """Return a half disc of tissue on the left border of a zero background, as uint16."""
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    radius = np.hypot((y - height / 2) / (0.4 * height), x / (0.6 * width))
    tissue = np.where(radius < 1, top * (1 - 0.7 * radius**2), 0)
    noisy = tissue + np.random.default_rng(seed).normal(0, noise, size_hw) * (noise > 0)
    return np.clip(np.round(noisy), 0, 65535).astype(np.uint16)


def jpeg_lossless(pixels, bits=12, predictor=1):
    return imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor, bitspersample=bits)


def jpeg_8bit(pixels, progressive=False):
    stream = BytesIO()
    picture = Image.fromarray(pixels.astype(np.uint8))
    picture.save(stream, "JPEG", quality=90, progressive=progressive)
    return stream.getvalue()


def rle(pixels):
    return RLELosslessEncoder.encode(
        pixels, rows=pixels.shape[0], columns=pixels.shape[1], samples_per_pixel=1,
        bits_allocated=8 * pixels.itemsize, bits_stored=8 * pixels.itemsize,
        pixel_representation=int(pixels.dtype.kind == "i"), number_of_frames=1,
        photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
    )  # fmt: skip


def deflate(pixels):
    coder = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return coder.compress(pixels.tobytes()) + coder.flush()


NATIVE = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
]
STAND_IN, GROUP_LENGTH_AT = uid.MPEG2MPML, 140
NEAR = 3  # How far near-lossless values may be from the original ones.
JPEG_XL_LOSSLESS = uid.UID("1.2.840.10008.1.2.4.110")
JPEG_XL = uid.UID("1.2.840.10008.1.2.4.112")
ENCAPSULATED_UNCOMPRESSED = uid.UID("1.2.840.10008.1.2.1.98")
DEFLATED_FRAMES = uid.UID("1.2.840.10008.1.2.8.1")


def coder(encode, **settings):
    """Return an encoder that takes pixels and bits, of which the codec needs no telling."""
    return lambda pixels, bits=12: encode(pixels, **settings)


def jpeg2000(pixels, bits=12, **settings):
    return imagecodecs.jpeg2k_encode(pixels, codecformat="j2k", bitspersample=bits, **settings)


# Each takes pixels and the bits that are stored, 12 unless told.
ENCODERS = {
    uid.JPEGLosslessSV1: jpeg_lossless,
    uid.JPEGLossless: lambda pixels, bits=12: jpeg_lossless(pixels, bits, predictor=6),
    uid.JPEGLSLossless: coder(imagecodecs.jpegls_encode),
    uid.JPEG2000Lossless: lambda pixels, bits=12: jpeg2000(pixels, bits, reversible=True),
    uid.HTJ2KLossless: coder(imagecodecs.htj2k_encode),
    uid.HTJ2KLosslessRPCL: coder(imagecodecs.htj2k_encode, tlm=True),
    uid.RLELossless: coder(rle),
    JPEG_XL_LOSSLESS: coder(imagecodecs.jpegxl_encode, lossless=True, effort=1),
    ENCAPSULATED_UNCOMPRESSED: coder(lambda pixels: pixels.tobytes()),
    DEFLATED_FRAMES: coder(deflate),
}
LOSSY_ENCODERS = {
    uid.JPEGExtended12Bit: lambda pixels, bits=12: imagecodecs.jpeg8_encode(
        pixels, level=95, bitspersample=bits
    ),
    uid.JPEGLSNearLossless: coder(imagecodecs.jpegls_encode, level=NEAR),
    uid.JPEG2000: lambda pixels, bits=12: jpeg2000(pixels, bits, level=60),
    uid.HTJ2K: coder(imagecodecs.htj2k_encode, level=0.0001, reversible=False),
    JPEG_XL: coder(imagecodecs.jpegxl_encode, lossless=False, distance=0.5),
}
# Their streams code no signs: two's complement goes through them as it is.
WITHOUT_SIGNS = {
    uid.JPEGLosslessSV1, uid.JPEGLossless, uid.JPEGLSLossless, uid.JPEGLSNearLossless,
    JPEG_XL_LOSSLESS,
}  # fmt: skip


def make_dicom(
    pixels, syntax=uid.ExplicitVRLittleEndian, stream=None, bits=None, table="basic", **tags
):
    """Return the bytes of a DICOM file.

    Args:
        pixels: Stored values of one frame, (H, W), or several, (frames, H, W); their type
            gives BitsAllocated and PixelRepresentation.
        syntax: Transfer syntax; the pixels are encoded for it.
        stream: Compressed frame to use instead.
        bits: BitsStored.
        table: Which table tells where the compressed frames lie: ``basic``, ``extended`` or
            ``none``.
        tags: Attributes to set; None removes one.
    """
    dataset = Dataset()
    dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "MG"
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.SamplesPerPixel = 1
    if pixels.ndim == 3:
        dataset.NumberOfFrames = len(pixels)
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if syntax in NATIVE:
        order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        dataset["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    else:
        planes = pixels if pixels.ndim == 3 else pixels[None]
        if syntax in WITHOUT_SIGNS and planes.dtype.kind == "i":
            unsigned = planes.view(f"u{planes.itemsize}")
            planes = unsigned & unsigned.dtype.type((1 << dataset.BitsStored) - 1)
        encode = (ENCODERS | LOSSY_ENCODERS).get(syntax)
        streams = [stream or encode(np.ascontiguousarray(p), bits or 12) for p in planes]
        if table == "extended":
            value, dataset.ExtendedOffsetTable, lengths = encapsulate_extended(streams)
            dataset.ExtendedOffsetTableLengths = lengths
        else:
            value = encapsulate(streams, has_bot=table == "basic")
        dataset.PixelData = value
        dataset["PixelData"].VR = "OB"
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.file_meta = FileMetaDataset()
    known = not syntax.is_private and syntax.is_transfer_syntax
    dataset.file_meta.TransferSyntaxUID = syntax if known else STAND_IN
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue() if known else rename_syntax(file.getvalue(), syntax)


def rename_syntax(data, syntax):
    """Put a transfer syntax that pydicom does not write in the place of the stand-in."""
    old, new = (
        b"\x02\x00\x10\x00UI" + struct.pack("<H", len(value)) + value
        for value in (uid.encode() + bytes(len(uid) % 2) for uid in (STAND_IN, syntax))
    )
    (length,) = struct.unpack_from("<L", data, GROUP_LENGTH_AT)
    changed = struct.pack("<L", length + len(new) - len(old))
    head = data[:GROUP_LENGTH_AT] + changed + data[GROUP_LENGTH_AT + 4 :]
    return head.replace(old, new, 1)


def write_dicom(path: Path, pixels, syntax=uid.ExplicitVRLittleEndian, **settings) -> Path:
    """Write what :func:`make_dicom` makes; return the path."""
    path.write_bytes(make_dicom(pixels, syntax, **settings))
    return path
