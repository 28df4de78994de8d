"""Images per second and memory of ``prepare_dataset`` with one worker and with two.

Whole films in lossless JPEG become 16-bit PNG files of 1792 x 1024. The time that workers take to
start, found on the first few images, is told apart. This is wall-clock time, the shortest of three:
other programs on the machine slow it down, so that there are no goals. Memory is what a worker held
at most (Linux).
"""

import csv
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from joblib.externals.loky import get_reusable_executor
from pydicom import uid
from tools.benchmarks.mammograms import twelve_bit_mammograms, write_mammogram
from tools.benchmarks.timing import alone

from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.image import PreparationOptions
from mammography.preparation.study import DatasetOptions

IMAGES, FIRST, REPEATS = 24, 6, 3
WORKERS = (1, 2)
PAUSE_S = 0.05


@dataclass(frozen=True)
class Throughput:
    """What a number of workers prepares, and what it needs.

    Attributes:
        workers: Number of processes.
        images_per_second: Without the time to start.
        start_s: Time to start in seconds.
        memory_mib: Memory of the largest worker at its peak in MiB; 0 where it is not known.
        goal: There is none.
        reached: And so it is.
    """

    workers: int
    images_per_second: float
    start_s: float
    memory_mib: float
    goal: None = None
    reached: bool = True

    def __str__(self) -> str:
        """Return one line of the table."""
        name = f"prepare a data set with {self.workers} worker{'s' * (self.workers > 1)}"
        return (
            f"{name:<62}{self.images_per_second:9.1f} images/s, {self.start_s:.1f} s to start, "
            f"{self.memory_mib:.0f} MiB a worker"
        )


def write_study(root):
    """Write films under several names, and their table."""
    films = list(twelve_bit_mammograms())
    for number, film in enumerate(films[:IMAGES]):
        write_mammogram(root / f"{number}.dcm", film, uid.JPEGLosslessSV1)
    for number in range(len(films), IMAGES):
        shutil.copy(root / f"{number % len(films)}.dcm", root / f"{number}.dcm")
    with (root / "table.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "patient_id", "exam_id", "laterality", "view", "malignant"])
        rows.writerows([f"{n}.dcm", f"P{n}", f"E{n}", "L", "MLO", n % 2] for n in range(IMAGES))


class WorkerMemory(threading.Thread):
    """Watches how much memory the processes below this one hold at most."""

    def __init__(self):
        super().__init__(daemon=True)
        self.most_kib = 0
        self.over = threading.Event()

    def run(self):
        """Look again and again until it is over."""
        while not self.over.wait(PAUSE_S):
            self.most_kib = max([self.most_kib, *map(held_at_most, children())])


def children():
    try:
        lists = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    except OSError:  # A thread that has ended.
        return []
    return " ".join(lists).split()


def held_at_most(process):
    try:
        state = Path(f"/proc/{process}/status").read_text()
    except OSError:  # It has ended.
        return 0
    return next((int(line.split()[1]) for line in state.splitlines() if "VmHWM" in line), 0)


def seconds_for(root, out, workers, limit):
    options = DatasetOptions(
        tasks=("malignant:binary",),
        limit=limit,
        preparation=PreparationOptions(size_hw=(1792, 1024)),
    )
    start = time.perf_counter()
    summary = prepare_dataset("table", out, root, options, workers=workers)
    taken = time.perf_counter() - start
    if summary.rejected:
        raise RuntimeError(f"films were rejected: {set(summary.rejected.values())}")
    return taken


def measure(root, workers, limit):
    """Return seconds and the memory of the largest worker, in a process without any yet."""
    memory = WorkerMemory()
    memory.start()
    with tempfile.TemporaryDirectory() as out:
        taken = seconds_for(root, Path(out), workers, limit)
    memory.over.set()
    memory.join()
    get_reusable_executor().shutdown()  # A process that ends waits for those below it.
    return taken, memory.most_kib / 1024


def best_of(root, workers, limit):
    """Return the shortest time of several, as other programs only add to it, and most memory."""
    times, memory_mib = zip(
        *(alone(measure, root, workers, limit) for _ in range(REPEATS)), strict=True
    )
    return min(times), max(memory_mib)


def run() -> Iterator[Throughput]:
    with tempfile.TemporaryDirectory() as folder:
        alone(write_study, Path(folder))
        for workers in WORKERS:
            first_s, _ = best_of(Path(folder), workers, FIRST)
            all_s, memory_mib = best_of(Path(folder), workers, IMAGES)
            if all_s <= first_s:
                raise RuntimeError(
                    f"{IMAGES} images must take longer than {FIRST}, got {all_s:.1f} s and "
                    f"{first_s:.1f} s: other programs keep the cores busy, try throughput later"
                )
            rate = (IMAGES - FIRST) / (all_s - first_s)
            yield Throughput(workers, rate, max(first_s - FIRST / rate, 0.0), memory_mib)
