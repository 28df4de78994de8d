"""Images per second of ``make_patches`` with one worker and with two.

Prepared phantoms of 1152 x 896 with two lesions each become 30 patches of 224 px (set S10). This is
wall-clock time: other programs on the machine slow it down, so that there is no goal. The choice
of the places of ten patches is compared in CPU time with the published way, which draws centres and
counts pixels until enough of them overlap.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tools.benchmarks.timing import Ratio, alone, compare

from mammography.functional.outlines import fill_outline
from mammography.functional.patch_overlap import Region
from mammography.functional.patch_sampling import SamplingRules, lesion_places
from mammography.functional.phantom import PhantomView, draw_phantom, place_lesions
from mammography.functional.phantom_lesion import Lesion, LesionKind
from mammography.functional.png16 import encode_png16
from mammography.preparation.patches.dataset import make_patches
from mammography.preparation.patches.options import PatchOptions
from mammography.structures.annotation import Annotations, Finding, ImageRecord, write_annotations
from mammography.terms import Split

IMAGES, FIRST, DRAWN = 100, 20, 5
SIZE_HW = (1152, 896)
WORKERS = (1, 2)
LESIONS = (
    Lesion(LesionKind.MASS, True, 20.0, position=(0.5, -0.3, -0.2)),
    Lesion(LesionKind.CALCIFICATION, False, 14.0, 0.5, (0.5, 0.4, 0.3)),
)


@dataclass(frozen=True)
class PatchRate:
    """How fast a number of workers cuts patches.

    Attributes:
        workers: Number of processes.
        images_per_second: Without the time to start.
        patches_per_second: The same in patches.
        goal: There is none.
        reached: And so it is.
    """

    workers: int
    images_per_second: float
    patches_per_second: float
    goal: None = None
    reached: bool = True

    def __str__(self) -> str:
        """Return one line of the table."""
        name = f"cut patches with {self.workers} worker{'s' * (self.workers > 1)}"
        rates = f"{self.images_per_second:9.1f} images/s, {self.patches_per_second:.0f} patches/s"
        return f"{name:<62}{rates}"


def draw(number):
    """Return a prepared phantom as PNG, and its findings."""
    view = PhantomView(lesions=LESIONS, size_hw=SIZE_HW, seed=(number,))
    image, mask = draw_phantom(view)
    pixels = np.where(mask, np.round(65535 * image), 0).astype(np.uint16)
    return encode_png16(pixels), tuple(
        Finding(p.box, p.lesion.kind.value, p.lesion.malignant, tuple(map(tuple, p.outline)))
        for p in place_lesions(view)
    )


def write_source(root):
    """Write prepared images: a few phantoms under many names."""
    (root / "images").mkdir()
    drawn, records = [draw(number) for number in range(DRAWN)], []
    for number in range(IMAGES):
        name, (data, found) = f"i{number}", drawn[number % DRAWN]
        (root / f"images/{name}.png").write_bytes(data)
        records.append(
            ImageRecord(
                f"images/{name}.png", f"p{number}", image_id=name, split=Split.TRAIN,
                size_hw=SIZE_HW, findings=found,
            )
        )  # fmt: skip
    for name, part in {"some": records[:FIRST], "whole": records}.items():
        write_annotations(
            root / name / "annotations" / "all.json", Annotations({}, tuple(part), "bench")
        )
        (root / name / "images").symlink_to(root / "images")


def seconds_for(source, workers):
    """Return the seconds, and how many patches there are."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        summary = make_patches(source, Path(out) / "set", PatchOptions(), workers=workers)
        taken = time.perf_counter() - start
    if summary.rejected or not summary.total:
        raise RuntimeError(f"no image must be rejected: {summary}")
    return taken, summary.total


def one_by_one(rng, mask, rules):
    """Draw centres in the box of a lesion until enough patches overlap, counting pixels."""
    (height, width), found = rules.patch_hw, []
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    area = mask.sum()
    while len(found) < rules.per_region:
        top = rng.integers(rows[0], rows[-1] + 1) - height // 2
        left = rng.integers(columns[0], columns[-1] + 1) - width // 2
        common = mask[max(top, 0) : top + height, max(left, 0) : left + width].sum()
        if max(common / area, common / (height * width)) >= rules.least_overlap:
            found.append((left, top))


def compare_choice():
    view = PhantomView(lesions=LESIONS, size_hw=SIZE_HW)
    mask = fill_outline(place_lesions(view)[0].outline, SIZE_HW)
    rules = SamplingRules(border="zeros")
    return compare(
        "places of ten patches of a lesion",
        lambda: lesion_places(np.random.default_rng(0), Region(mask), [], SIZE_HW, rules),
        lambda: one_by_one(np.random.default_rng(0), mask, rules),
    )


def run() -> Iterator[PatchRate | Ratio]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        alone(write_source, root)
        for workers in WORKERS:
            first_s, some = alone(seconds_for, root / "some", workers)
            all_s, total = alone(seconds_for, root / "whole", workers)
            seconds = max(all_s - first_s, 1e-9)
            yield PatchRate(workers, (IMAGES - FIRST) / seconds, (total - some) / seconds)
    yield alone(compare_choice)
