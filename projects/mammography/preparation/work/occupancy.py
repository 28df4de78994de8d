"""Who works in a folder: one call alone, or several that each prepare a part."""

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)

logger = logging.getLogger(__name__)


class OccupiedError(OSError):
    """Another call works in the folder."""


@contextmanager
def occupy(folder: Path, lock: Path, *, alone: bool) -> Iterator[None]:
    """Keep others out of a folder while this process works in it.

    The lock ends with the process, whatever ends it. On a disk that knows no locks, or
    not between machines, the work goes on without.

    Args:
        folder: Where the work is done.
        lock: File to lock; made when there is none, readable by its owner.
        alone: Whether nobody else may work there, or others that are not alone may.

    Raises:
        OccupiedError: If another call is there.
    """
    lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, folder)
        yield
    finally:
        os.close(file)


def _lock(file: int, kind: int, folder: Path) -> None:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OccupiedError(
            f"{folder}: no other call may work there, got one that runs: wait until it has ended"
        ) from error
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        logger.warning("%s: the disk knows no locks: see that no other call works there", folder)
