"""A process beside this one that trains and tests, one job after the other."""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

# A new interpreter: a copy of this one could not use a GPU that was used here.
_START = multiprocessing.get_context("spawn")


class JobError(RuntimeError):
    """A job failed.

    Args:
        reason: In one line.
        details: What it left to read, e.g. a traceback.
    """

    def __init__(self, reason: str, details: str = "") -> None:
        super().__init__(reason)
        self.details = details or reason


class Worker:
    """Do jobs in one process after the other, so that nothing that happens there ends the study.

    The process is kept from job to job, as its start takes seconds. After a failure the
    next job gets a new one: an error on a GPU spoils it for good, and one that was killed
    is gone. It ends with this process, whatever ends that.

    Args:
        jobs: After how many a new process takes over: MMEngine keeps the log of every run
            open for as long as a process lives.

    Example:
        >>> with Worker() as worker:
        ...     worker.do(max, 3, 4)
        4
    """

    def __init__(self, jobs: int = 50) -> None:
        self._jobs, self._done = jobs, 0
        self._process: Any = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process; after an error at once, as it may be in the middle of a job."""
        self._end(now=kind is not None)

    def do(self, function: Callable[..., Any], *arguments: Any, log: Path | None = None) -> Any:
        """Call a function there and return what it returns.

        Args:
            function: One that the process can import; its arguments and its result
                must be picklable.
            *arguments: Of the function.
            log: File for what it prints, instead of the console.

        Raises:
            JobError: If it raises, or the process dies.
        """
        if self._done == self._jobs:
            self._end(now=False)
        pipe = self._pipe or self._start()
        self._done += 1
        try:
            pipe.send((function, arguments, log))
            result, reason, details = pipe.recv()
        except (EOFError, ConnectionError) as error:
            self._process.join()
            code = self._process.exitcode
            self._end(now=True)
            killed = " (killed, perhaps for its memory)" if code == -9 else ""
            raise JobError(f"the process died, exit code {code}{killed}") from error
        if reason:
            self._end(now=False)
            raise JobError(reason, details)
        return result

    def _start(self) -> Connection:
        self._pipe, theirs = _START.Pipe()
        self._process = _START.Process(target=_serve, args=(theirs,))
        self._process.start()
        theirs.close()  # or its death would go unnoticed here
        return self._pipe

    def _end(self, *, now: bool) -> None:
        if self._pipe:
            self._pipe.close()  # which ends it when it waits for a job
            if now:
                self._process.terminate()
            self._process.join()
        self._pipe, self._process, self._done = None, None, 0


def _serve(pipe: Connection) -> None:
    """Do jobs until there are none."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends this process
    multiprocessing.set_start_method(None, force=True)  # jobs choose their own
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            function, arguments, log = pipe.recv()
        except EOFError:
            return
        with _printing_to(log):
            answer = _call(function, arguments)
        pipe.send(answer)


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str, str]:
    try:
        return function(*arguments), "", ""
    except (Exception, SystemExit) as error:  # whatever it is: the study goes on
        first = (str(error).strip() or "no reason given").splitlines()[0]
        return None, f"{type(error).__name__}: {first}", traceback.format_exc()


def _end_with_parent() -> None:
    """End this process with the one that started it, also when that is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _printing_to(log: Path | None) -> Iterator[None]:
    """Let this process and those that it starts print to a file."""
    if log is None:
        yield
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    kept = {number: os.dup(number) for number in (1, 2)}
    with log.open("wb", buffering=0) as file:
        for number in kept:
            os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, old in kept.items():
                os.dup2(old, number)
                os.close(old)
