"""DICOM file to a 16-bit PNG of 1792 x 1024, ours against the usual chain of libraries.

The usual chain: pydicom's pixel array and float VOI, inversion and scaling in float, Otsu's
threshold and connected components at full resolution, mask, crop, OpenCV's area resize and
PNG writer.

One call prepares several images, as a worker does, so that neither side pays for the state in
which the other left the memory.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom import uid
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from tools.benchmarks.mammograms import twelve_bit_mammogram, write_mammogram
from tools.benchmarks.timing import Ratio, alone, compare

from mammography.functional.png16 import encode_png16
from mammography.preparation.image import PreparationOptions, prepare_image

SIZE_HW = (1792, 1024)
IMAGES_PER_CALL = 3
GOALS = {uid.JPEGLosslessSV1: 6.0, uid.ExplicitVRLittleEndian: 6.0, uid.RLELossless: 4.0}


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


def several(way, path, png):
    for _ in range(IMAGES_PER_CALL):
        way(path, png)


def compare_on(syntax, goal):
    with tempfile.TemporaryDirectory() as folder:
        path = write_mammogram(Path(folder) / "a.dcm", twelve_bit_mammogram(), syntax)
        return compare(
            f"prepare {IMAGES_PER_CALL} {syntax.name.split(',')[0]} to PNG 1792 x 1024",
            lambda: several(ours, path, Path(folder) / "a.png"),
            lambda: several(usual, path, Path(folder) / "a.png"),
            goal,
        )


def run() -> Iterator[Ratio]:
    for syntax, goal in GOALS.items():
        yield alone(compare_on, syntax, goal)
