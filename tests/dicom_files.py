"""Tiny DICOM files for tests, in every transfer syntax that can be encoded here."""

from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
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


def jpeg_8bit(pixels):
    stream = BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def rle(pixels):
    return RLELosslessEncoder.encode(
        pixels, rows=pixels.shape[0], columns=pixels.shape[1], samples_per_pixel=1,
        bits_allocated=8 * pixels.itemsize, bits_stored=8 * pixels.itemsize,
        pixel_representation=0, photometric_interpretation="MONOCHROME2",
        number_of_frames=1, encoding_plugin="pydicom",
    )  # fmt: skip


ENCODERS = {
    uid.JPEGLosslessSV1: jpeg_lossless,
    uid.JPEGLossless: lambda pixels: jpeg_lossless(pixels, predictor=6),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(
        pixels, codecformat="j2k", reversible=True, bitspersample=12
    ),
    uid.HTJ2KLossless: imagecodecs.htj2k_encode,
    uid.RLELossless: rle,
}
LOSSY_ENCODERS = {
    uid.JPEGExtended12Bit: lambda pixels: imagecodecs.jpeg8_encode(
        pixels, level=95, bitspersample=12
    ),
    uid.JPEG2000: lambda pixels: imagecodecs.jpeg2k_encode(
        pixels, level=60, codecformat="j2k", bitspersample=12
    ),
}


def make_dicom(pixels, syntax=uid.ExplicitVRLittleEndian, stream=None, bits=None, **tags):
    """Return the bytes of a DICOM file.

    Args:
        pixels: Stored values; their type gives BitsAllocated and PixelRepresentation.
        syntax: Transfer syntax; the pixels are encoded for it.
        stream: Compressed frame to use instead.
        bits: BitsStored.
        tags: Attributes to set; None removes one.
    """
    dataset = Dataset()
    dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "MG"
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.SamplesPerPixel = 1
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.BitsAllocated = 8 * pixels.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if syntax.is_compressed and syntax != uid.DeflatedExplicitVRLittleEndian:
        dataset.PixelData = encapsulate([stream or (ENCODERS | LOSSY_ENCODERS)[syntax](pixels)])
        dataset["PixelData"].VR = "OB"
    else:
        order = ">" if syntax == uid.ExplicitVRBigEndian else "<"
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
        dataset["PixelData"].VR = "OW"
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def write_dicom(path: Path, pixels, syntax=uid.ExplicitVRLittleEndian, **settings) -> Path:
    """Write what :func:`make_dicom` makes; return the path."""
    path.write_bytes(make_dicom(pixels, syntax, **settings))
    return path
