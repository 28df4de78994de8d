"""DICOM file to stored pixels, ours against pydicom with the decoder that it takes by default.

The film fills its right half with a constant background, as most mammograms do, which is
where the check that a lossless JPEG stream is whole costs most.
"""

import tempfile
from pathlib import Path

import numpy as np
import pydicom
from pydicom import uid
from tools.benchmarks.mammograms import twelve_bit_mammogram, write_mammogram
from tools.benchmarks.timing import Ratio, compare

from mammography.preparation.decode import read_stored_pixels

GOALS = {
    uid.JPEGLosslessSV1: 5.0,
    uid.JPEGLSLossless: 4.5,
    uid.RLELossless: 4.0,
    uid.JPEG2000Lossless: 0.95,
    uid.ExplicitVRLittleEndian: None,
}


def usual(path):
    return pydicom.dcmread(path).pixel_array


def run() -> list[Ratio]:
    pixels, ratios = twelve_bit_mammogram(), []
    with tempfile.TemporaryDirectory() as folder:
        for syntax, goal in GOALS.items():
            path = write_mammogram(Path(folder) / "a.dcm", pixels, syntax)
            np.testing.assert_array_equal(read_stored_pixels(path)[1], pixels)
            np.testing.assert_array_equal(usual(path), pixels)
            ratios.append(
                compare(
                    f"decode {syntax.name.split(',')[0]}",
                    lambda path=path: read_stored_pixels(path),
                    lambda path=path: usual(path),
                    goal,
                )
            )
    return ratios
