"""DICOM file to a 16-bit PNG of 1792 x 1024, ours against the usual chain of libraries.

The usual chain: pydicom's pixel array and float VOI, inversion and scaling in float, Otsu's
threshold and connected components at full resolution, mask, crop, OpenCV's area resize and
PNG writer.
"""

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom import uid
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from tools.benchmarks.mammograms import twelve_bit_mammogram, write_mammogram
from tools.benchmarks.timing import Ratio, compare

from mammography.functional.png16 import encode_png16
from mammography.preparation.image import PreparationOptions, prepare_image

SIZE_HW = (1792, 1024)
GOALS = {uid.JPEGLosslessSV1: 6.0, uid.ExplicitVRLittleEndian: 6.0, uid.RLELossless: None}


def usual(path, png):
    dataset = pydicom.dcmread(path)
    image = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        image = image.max() - image
    image = (image - image.min()) / (image.max() - image.min())
    _, binary = cv2.threshold((image * 255).astype(np.uint8), 0, 1, cv2.THRESH_OTSU)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(binary)
    largest = 1 + statistics[1:, cv2.CC_STAT_AREA].argmax()
    left, top, width, height = statistics[largest, :4]
    image = np.where(labels == largest, image, 0)[top : top + height, left : left + width]
    image = cv2.resize(image, SIZE_HW[::-1], interpolation=cv2.INTER_AREA)  # (width, height)
    cv2.imwrite(str(png), (image * 65535).astype(np.uint16))


def ours(path, png):
    prepared = prepare_image(path, options=PreparationOptions(size_hw=SIZE_HW))
    png.write_bytes(encode_png16(prepared.pixels))


def run() -> list[Ratio]:
    pixels, ratios = twelve_bit_mammogram(), []
    with tempfile.TemporaryDirectory() as folder:
        png = Path(folder) / "a.png"
        for syntax, goal in GOALS.items():
            path = write_mammogram(Path(folder) / "a.dcm", pixels, syntax)
            ratios.append(
                compare(
                    f"prepare {syntax.name.split(',')[0]} to PNG 1792 x 1024",
                    lambda path=path: ours(path, png),
                    lambda path=path: usual(path, png),
                    goal,
                )
            )
    return ratios
