"""The one error that says why an image cannot be used."""

from collections.abc import Iterator
from contextlib import contextmanager

CRASHED = "reading it ends the process: damaged, or too large for the memory"


class RejectedImage(ValueError):  # noqa: N818 - the word that the list of rejections uses
    """An image cannot be prepared; the text is the reason.

    A reason is short and the same for the same fault, so that reasons can be counted. It
    names neither the file nor anything that the file says about a patient.

    Example:
        >>> str(RejectedImage("colour image"))
        'colour image'
    """


class TemporaryRejection(RejectedImage):
    """The machine is to blame, not the file: the next run tries the image again.

    Rights, networks, disks and memory may be others then, and no file tells.
    """


@contextmanager
def any_error_rejects() -> Iterator[None]:
    """Turn whatever goes wrong within into a rejection: one file must not end a run.

    Raises:
        RejectedImage: With the reason.
    """
    try:
        yield
    except RejectedImage:
        raise
    except OSError as error:
        raise TemporaryRejection(f"unreadable file ({type(error).__name__})") from error
    except MemoryError as error:
        raise TemporaryRejection("too large for the memory") from error
    # The text of the error may quote the file, its kind does not.
    except Exception as error:
        raise RejectedImage(f"unexpected {type(error).__name__}") from error
