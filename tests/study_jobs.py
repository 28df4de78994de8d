"""Jobs that fail, die or wait: for the process beside a study, which imports them by name."""

import os
import subprocess
import time
from pathlib import Path


def fail() -> None:
    """Fail with two lines."""
    raise ValueError("the second line is in the details\nand more")


def same_process(signal: int) -> None:
    """Send a signal to the process that does the job."""
    os.kill(os.getpid(), signal)


def print_and_fail() -> None:
    """Print, from here and from another process, then fail."""
    print("from Python", flush=True)  # noqa: T201
    subprocess.run(["echo", "from a child"], check=True)
    fail()


def tell_and_wait(note: str) -> None:
    """Write which process does the job, and wait to be ended."""
    unfinished = Path(f"{note}.unfinished")
    unfinished.write_text(str(os.getpid()))
    unfinished.rename(note)
    time.sleep(60)
