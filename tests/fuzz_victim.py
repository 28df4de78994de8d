"""A process that prepares one file after the other and may die of it: run by ``fuzzing.py``.

Each line of its input is the path of a file and a number that chooses how to prepare it. Each
line of its output is JSON: what came of it, the seconds it took, and what was printed.
"""

import json
import os
import resource
import sys
import time
import warnings
from pathlib import Path

from mammography.preparation.jobs import Job, Workshop
from mammography.preparation.options import PreparationOptions
from mammography.terms import Laterality, ViewModifier

LEFT = Laterality.LEFT
WAYS = (
    (PreparationOptions(), {"laterality": LEFT}),
    (PreparationOptions(size_hw=(64, 48), flip_to=LEFT, frames="max", reduce_jpeg2000=True), {}),
    (
        PreparationOptions(voi="none", for_processing="log", keep_background=True, frames="middle"),
        {"laterality": LEFT, "view_modifiers": (ViewModifier.SPOT_COMPRESSION,)},
    ),
    (
        PreparationOptions(
            spacing_mm=0.5, voi="stretch", margin_px=3, require_laterality=False, frames=1,
            reduce_jpeg2000=True,
        ),
        {},
    ),
)  # fmt: skip


class Note:
    """A journal that keeps the last line only."""

    def append(self, image_id, key, result):
        self.line = json.dumps(result, allow_nan=False)


def prepare(path, way):
    """Do what a worker does with an image; return what it notes."""
    options, told = WAYS[way]
    note = Note()
    Workshop(path.parent / "images", note, options).work(Job("image", path, **told))
    return json.loads(note.line)


def limit_memory(room):
    """Leave room for so many bytes more than the process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + room
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main(printed, room, first):
    answers = os.fdopen(os.dup(1), "w")
    file = printed.open("w+b", buffering=0)
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
    warnings.simplefilter("always")
    for way in range(len(WAYS)):
        prepare(first, way)  # What is loaded late is loaded now.
    limit_memory(room)
    for line in sys.stdin:
        path, way = json.loads(line)
        start = time.process_time()
        try:
            result = prepare(Path(path), way)
        except BaseException as error:  # Nothing may come out but a result.
            result = {"raised": repr(error)}
        answer = {"result": result, "seconds": time.process_time() - start}
        sys.stderr.flush()
        sys.stdout.flush()
        file.seek(0)
        answer["printed"] = file.read().decode(errors="replace")
        file.truncate(0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
