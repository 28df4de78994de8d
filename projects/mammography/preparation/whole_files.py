"""Files that are there whole or not at all, whenever the process is killed."""

import errno
import os
import secrets
import socket
from collections.abc import Iterable
from pathlib import Path

PRIVATE = 0o600

_TOKEN = secrets.token_hex(4)  # Containers on several machines may share host name and number.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def process_name() -> str:
    """Name this process, as no other on any machine that shares the disk is named."""
    return f"{socket.gethostname()}-{os.getpid()}-{_TOKEN}"


def write_whole(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file under another name, then put it in its place.

    Args:
        path: File to write; its folder is made.
        data: What it holds.
        mode: Who may use it, less what the umask takes; ``PRIVATE`` is its owner alone.
    """
    _write_unfinished(path, data, mode).replace(path)


def write_first(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file unless there is one: of several processes the first one wins.

    Args:
        path: File to write; its folder is made.
        data: What it holds.
        mode: Who may use it, as for :func:`write_whole`.
    """
    unfinished = _write_unfinished(path, data, mode)
    try:
        path.hardlink_to(unfinished)
    except FileExistsError:
        pass
    except OSError as error:
        if error.errno not in _NO_LINKS:  # Some disks of other systems know no links.
            raise
        if not path.exists():
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(folder: Path, names: Iterable[str]) -> None:
    """Remove what processes that were killed left half written.

    Args:
        folder: Where to look; need not exist.
        names: Patterns of the files that were to be written, such as ``*.png``.
    """
    for name in names:
        for path in folder.glob(f".{name}.*"):
            path.unlink(missing_ok=True)


def _write_unfinished(path: Path, data: bytes, mode: int) -> Path:
    path.parent.mkdir(mode=0o700 if mode == PRIVATE else 0o777, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{process_name()}")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(file, "wb") as stream:
        stream.write(data)
    return unfinished
