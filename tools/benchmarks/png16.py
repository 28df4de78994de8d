"""16-bit PNG files: ours, written and read, against OpenCV's with its default settings.

The image is the film as the preparation makes it, in the size of a network's input and in full.
Each side reads the file that it wrote.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from pydicom import uid
from tools.benchmarks.mammograms import twelve_bit_mammogram, write_mammogram
from tools.benchmarks.timing import Ratio, alone, compare

from mammography.functional.png16 import decode_png16, encode_png16
from mammography.preparation.image import PreparationOptions, prepare_image

SIZES_HW = ((1792, 1024), None)
WRITE_GOAL = READ_GOAL = 2.0
SIZE_GOAL = 1 / 1.03  # At most 3 % larger.


def write_by_opencv(image):
    return cv2.imencode(".png", image)[1]


def read_by_opencv(data):
    return cv2.imdecode(data, cv2.IMREAD_UNCHANGED)


def prepare(size_hw):
    with tempfile.TemporaryDirectory() as folder:
        film = twelve_bit_mammogram()
        path = write_mammogram(Path(folder) / "a.dcm", film, uid.ExplicitVRLittleEndian)
        return prepare_image(path, options=PreparationOptions(size_hw=size_hw)).pixels


def compare_at(size_hw):
    image = prepare(size_hw)
    ours, theirs = encode_png16(image), write_by_opencv(image)
    for decoded in (decode_png16(ours), read_by_opencv(np.frombuffer(ours, np.uint8))):
        np.testing.assert_array_equal(decoded, image)
    name = f"16-bit PNG of {image.shape[0]} x {image.shape[1]}"
    return [
        compare(
            f"write {name}",
            lambda: encode_png16(image),
            lambda: write_by_opencv(image),
            WRITE_GOAL,
        ),
        compare(
            f"read {name}", lambda: decode_png16(ours), lambda: read_by_opencv(theirs), READ_GOAL
        ),
        Ratio(f"size of {name}", len(ours) / 2**20, len(theirs) / 2**20, SIZE_GOAL, "MiB"),
    ]


def run() -> Iterator[Ratio]:
    for size_hw in SIZES_HW:
        yield from alone(compare_at, size_hw)
