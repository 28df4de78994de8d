"""Memory that decoding takes at its peak, against the size of the picture it gives.

Each syntax has a process of its own, which decodes a small picture first, so that the libraries
are loaded. Linux tells how much memory a process holds; elsewhere there is nothing to print.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydicom import uid
from tools.benchmarks.mammograms import twelve_bit_mammogram, write_mammogram
from tools.benchmarks.timing import Ratio, alone

from mammography.preparation.decoding.decode import read_stored_pixels

MOST = 1 / 1.6  # At most 1.6 times the picture.
GOALS = {
    uid.JPEGLosslessSV1: MOST,
    uid.JPEGLSLossless: MOST,
    uid.HTJ2KLossless: MOST,
    uid.RLELossless: None,
    uid.JPEG2000Lossless: None,
    uid.ExplicitVRLittleEndian: None,
}
STATE = Path("/proc/self/status")
MEBIBYTE = 2**20


def write_films(folder, syntax):
    """Write a part of the film and all of it; return how large the latter is in memory."""
    film = twelve_bit_mammogram()
    write_mammogram(Path(folder) / "part.dcm", film[:256, :256].copy(), syntax)
    write_mammogram(Path(folder) / "whole.dcm", film, syntax)
    return film.nbytes


def memory_of_this_process(what):
    """Return kibibytes: ``VmRSS`` is held now, ``VmHWM`` was held at most."""
    (line,) = (line for line in STATE.read_text().splitlines() if line.startswith(what))
    return int(line.split()[1])


def peak_of_decoding(folder):
    """Return by how many bytes the memory of this process grew at its peak."""
    read_stored_pixels(Path(folder) / "part.dcm")
    before = memory_of_this_process("VmRSS")
    read_stored_pixels(Path(folder) / "whole.dcm")
    return 1024 * (memory_of_this_process("VmHWM") - before)


def run() -> Iterator[Ratio]:
    for syntax, goal in GOALS.items() if STATE.exists() else ():
        with tempfile.TemporaryDirectory() as folder:
            raw = alone(write_films, folder, syntax)
            peak = alone(peak_of_decoding, folder)
        short = syntax.name.split(",")[0].replace("Image Compression ", "")
        name = f"peak memory of decoding {short}"
        yield Ratio(name, peak / MEBIBYTE, raw / MEBIBYTE, goal, "MiB")
