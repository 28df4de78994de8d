"""Work that ends its process on some items, for the tests of parallel work."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CrashingWork:
    """Leave a file for every item, but die at those that are multiples of ``every``."""

    folder: Path
    every: int = 0
    error: bool = False

    def __call__(self, item):
        if self.every and item % self.every == 0:
            if self.error:
                raise OSError("no space left on device")
            os.kill(os.getpid(), signal.SIGSEGV)
        with (self.folder / f"{item}").open("a") as file:
            file.write("x")


def square(item):
    return {"square": [item * item, None]}


def square_or_die_at_three(item):
    if item == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return square(item)
