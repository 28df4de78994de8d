"""Work that ends its process on some items, for the tests of parallel work."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CrashingWork:
    """Leave a file for every item, but die at those that are multiples of ``every``.

    With ``mercy`` an item is fatal no more when it has ended so many processes.
    """

    folder: Path
    every: int = 0
    error: bool = False
    pause_s: float = 0.0
    mercy: int | None = None

    def __call__(self, item):
        time.sleep(self.pause_s)
        if self.every and item % self.every == 0 and not self.is_spent(item):
            if self.error:
                raise OSError("no space left on device")
            os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(60)  # A thread lives on for a moment.
        with (self.folder / f"{item}").open("a") as file:
            file.write("x")

    def is_spent(self, item):
        """Whether an item has ended as many processes as it may; if not, it ends one more."""
        if self.mercy is None:
            return False
        deaths = self.folder / f"deaths of {item}"
        if deaths.exists() and len(deaths.read_text()) >= self.mercy:
            return True
        with deaths.open("a") as file:
            file.write("x")
        return False


@dataclass(frozen=True)
class WorkThatKillsItsParent:
    """Leave a file for every item; at one of them kill, once, the process that asked for it."""

    folder: Path
    fatal: int

    def __call__(self, item):
        time.sleep(0.02)
        if item == self.fatal and not (self.folder / "was here").exists():
            (self.folder / "was here").touch()
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        (self.folder / f"{item}").touch()


def note_process(path):
    path.write_text(f"{os.getpid()} {os.getppid()} {os.environ['OMP_NUM_THREADS']}")


def interrupt(path):
    os.kill(os.getpid(), signal.SIGINT)
    path.touch()


def fail(item):
    raise FileNotFoundError(2, "No such file or directory", f"{item}.dcm")


class OddError(Exception):
    """An error that cannot be unpickled."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def fail_oddly(item):
    raise OddError(item, 2)


def square(item):
    return {"square": [item * item, None]}


def square_or_die_at_three(item):
    if item == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return square(item)
