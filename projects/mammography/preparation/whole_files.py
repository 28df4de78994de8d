"""Files that are there whole or not at all, whenever the process is killed."""

import os
from pathlib import Path

PRIVATE = 0o600


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file under another name, then put it in its place.

    Args:
        path: File to write; its folder is made.
        data: What it holds.
        mode: Who may use it, less what the umask takes; ``PRIVATE`` is its owner alone.
    """
    path.parent.mkdir(mode=0o700 if mode == PRIVATE else 0o777, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
    unfinished.replace(path)
