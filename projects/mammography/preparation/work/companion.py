"""A process beside this one for work that may end the process that does it."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import cv2

T = TypeVar("T")

_TRIES = 3  # A process may have been killed for what other programs did.
_CODE = """
import sys
from multiprocessing.connection import Connection
calls = Connection(int(sys.argv[1]))
sys.path[:] = calls.recv()
from mammography.preparation.work.companion import serve
serve(calls, float(sys.argv[2]))
"""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Companion:
    """A process that makes one call at a time, and may die of it.

    A decoder that crashes on a damaged file takes its process with it: this one, not
    ours. It is started when it is needed, ends when it is idle for long, and ends after
    the call that it makes when our process ends in whatever way. It is started anew
    rather than forked, so that it shares nothing with the threads of our process.

    Args:
        idle_s: How long it waits for another call before it ends.
    """

    def __init__(self, idle_s: float = 60.0) -> None:
        self.idle_s = idle_s
        self._process: subprocess.Popen[bytes] | None = None
        self._calls: Connection[Any, Any] | None = None

    def do(self, work: Callable[[T], object], item: T) -> bool:
        """Call ``work`` on an item; return whether it is done.

        Args:
            work: Can be pickled, and keeps its result itself.
            item: What to work on.

        Returns:
            False if the call ended the process again and again.

        Raises:
            Exception: Whatever ``work`` raises.
            OSError: If no process can be started.
        """
        call = pickle.dumps((work, item))
        for _ in range(_TRIES):
            calls = self._connect()
            try:
                calls.send_bytes(call)
                error = calls.recv()
            except (EOFError, ConnectionError):
                self.dismiss()
                continue
            if error is not None:
                raise error
            return True
        return False

    def dismiss(self) -> None:
        """End the process, when it has finished what it does."""
        if self._calls is not None and self._process is not None:
            self._calls.close()
            self._process.wait()
        self._calls = self._process = None

    def _connect(self) -> "Connection[Any, Any]":
        if self._process is not None and self._process.poll() is not None:
            self.dismiss()  # It was idle for long.
        if self._calls is None:
            self._process, self._calls = _start(self.idle_s)
        return self._calls


def _start(idle_s: float) -> "tuple[subprocess.Popen[bytes], Connection[Any, Any]]":
    ours, its = Pipe()
    # A process per core already: none needs threads of its own.
    environment = os.environ | dict.fromkeys(_THREADS, "1")
    process = subprocess.Popen(  # noqa: S603 - our own Python and code
        [sys.executable, "-c", _CODE, str(its.fileno()), str(idle_s)],
        pass_fds=[its.fileno()],
        stdin=subprocess.DEVNULL,
        env=environment,
    )
    its.close()
    try:
        ours.send(sys.path)
        ours.recv()
    except (EOFError, ConnectionError) as error:
        raise OSError("a process beside this one could not be started: see above why") from error
    return process, ours


def serve(calls: "Connection[Any, Any]", idle_s: float) -> None:
    """Make one call after the other until nobody asks any more: the other side."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Who asks decides what Ctrl-C ends.
    cv2.setNumThreads(1)
    calls.send(None)
    with contextlib.suppress(EOFError, ConnectionError):
        while calls.poll(idle_s):
            calls.send(_make(calls.recv_bytes()))


def _make(call: bytes) -> Exception | None:
    """Make a call and return its error, in a form that can travel."""
    try:
        work, item = pickle.loads(call)  # noqa: S301 - from the process that started this one
        work(item)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - what this process just pickled
        except Exception:
            return RuntimeError("".join(traceback.format_exception(error)))
        error.add_note("".join(traceback.format_exception(error)))
        return error
    return None


class Company:
    """Companions for any number of threads: each call takes one that is idle, or a new one.

    Example:
        >>> with Company() as company:
        ...     company.do(print, "printed there")
        True
    """

    def __init__(self) -> None:
        self._idle: list[Companion] = []

    def do(self, work: Callable[[T], object], item: T) -> bool:
        """Call ``work`` on an item as :meth:`Companion.do` does."""
        try:
            companion = self._idle.pop()
        except IndexError:
            companion = Companion()
        try:
            return companion.do(work, item)
        finally:
            self._idle.append(companion)

    def __enter__(self) -> "Company":
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Dismiss all that are idle."""
        while self._idle:
            self._idle.pop().dismiss()
