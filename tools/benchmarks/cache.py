"""Reading an image as float32 in [0, 1]: decoded pixels against the PNG that they come from.

Films of the sample as the preparation writes them at 1792 x 1024, in files that the machine has
just read: what is compared is CPU time, not the disk. Over a slow network the larger files may
cost more than they save.
"""

import tempfile
from itertools import islice
from pathlib import Path

import numpy as np
from pydicom import uid
from tools.benchmarks.mammograms import twelve_bit_mammograms, write_mammogram
from tools.benchmarks.timing import Ratio, compare

from mammography.datasets.transforms.load_mammogram import LoadMammogram
from mammography.functional.png16 import encode_png16
from mammography.preparation.cache import PixelCache
from mammography.preparation.image import PreparationOptions, prepare_image
from mammography.structures.pixel_cache import CACHE_KINDS

SIZE_HW = (1792, 1024)
FILMS = 4


def load_all(load, paths):
    for path in paths:
        load({"img_path": path})


def compare_kind(images, paths, kind):
    cache = PixelCache(images, kind)
    for path in paths:
        cache.work(Path(path).stem)
    plain, quick = LoadMammogram(), LoadMammogram(cache=kind)
    for path in paths:
        expected, found = (load({"img_path": path})["img"] for load in (plain, quick))
        np.testing.assert_array_equal(found, expected)
    return compare(
        f"load {len(paths)} images cached as {kind}, against PNG",
        lambda: load_all(quick, paths),
        lambda: load_all(plain, paths),
    )


def run() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        images, paths = Path(folder) / "images", []
        images.mkdir()
        for number, film in enumerate(islice(twelve_bit_mammograms(), FILMS)):
            dicom = write_mammogram(Path(folder) / "a.dcm", film, uid.ExplicitVRLittleEndian)
            pixels = prepare_image(dicom, options=PreparationOptions(size_hw=SIZE_HW)).pixels
            paths.append(str(images / f"i{number}.png"))
            Path(paths[-1]).write_bytes(encode_png16(pixels))
        return [compare_kind(images, paths, kind) for kind in CACHE_KINDS]
