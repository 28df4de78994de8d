"""Work on many items on a Dask cluster, whose workers may die without harm to the others."""

import logging
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from mammography.preparation.work.companion import Company
from mammography.preparation.work.parallel import for_each
from mammography.preparation.work.witness import Witness, WitnessError

T = TypeVar("T")

_PER_THREAD = 4  # Items under way: enough to hide the network, few enough for any memory.
_LOST = "--scheduler: the scheduler was lost: the same command goes on"
_CONNECT_S, _LOOK_S, _PATIENCE_S = 20.0, 10.0, 300.0

_COMPANY = Company()  # In a worker: one companion per thread, which ends when it is idle.

logger = logging.getLogger(__name__)


class ClusterError(OSError):
    """The cluster is not there, cannot do the work, or is lost."""


def for_each_on_cluster(
    work: Callable[[T], object],
    items: Sequence[T],
    address: str,
    witnesses: Iterable[Path],
    bar: "tqdm[Any]",
) -> list[T]:
    """Call ``work`` on every item on a cluster and return the items that end their worker.

    Memory stays flat, as only some items per thread are under way. Each thread of a worker
    has a process beside it, as on one machine: an item that ends its process harms neither
    worker nor neighbours. Dask gives the items of a worker that dies to others, and gives an
    item up when several workers have died with it, which may be none of its fault: that one
    is tried on this machine.

    Args:
        work: Can be pickled, and keeps its result itself, on a disk that all share.
        items: What to work on.
        address: Of the scheduler, such as ``tcp://host:8786``.
        witnesses: Files that every worker must see.
        bar: Progress bar, moved by one for each item.

    Raises:
        ClusterError: If there is no such cluster, or a worker of it cannot do the work.
        Exception: Whatever ``work`` raises.
    """
    given_up: list[T] = []
    fatal: list[T] = []
    with _connected(address) as client:
        for item, is_done in _Hand(client, work, Witness.of(witnesses)).out(items):
            if is_done is None:
                given_up.append(item)
                continue
            fatal += [] if is_done else [item]
            bar.update()
    return fatal + for_each(work, given_up, 1, bar)


def import_distributed() -> Any:
    """Import the package that talks to Dask.

    Raises:
        ClusterError: If it is not installed, with the remedy.
    """
    try:
        import distributed
    except ImportError as error:
        raise ClusterError(
            "--scheduler needs the package distributed: pip install 'mammography[dask]'"
        ) from error
    return distributed


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    distributed = import_distributed()
    try:
        client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise ClusterError(
            f"--scheduler must be the address of a Dask scheduler that runs, such as "
            f"tcp://host:8786, got {address} ({error}): start one with: dask scheduler"
        ) from error
    with client:
        yield client


@dataclass(frozen=True)
class _Hand:
    """What hands items to a cluster.

    Attributes:
        client: Connection.
        work: What to do.
        witness: What workers must see.
    """

    client: Any
    work: Callable[[Any], object]
    witness: Witness

    def out(self, items: Iterable[T]) -> Iterator[tuple[T, bool | None]]:
        """Hand out all items; yield each, and whether it is done; None if Dask gave it up."""
        waiting = iter(items)
        under_way: dict[Any, T] = {}
        while True:
            room = _PER_THREAD * max(self._threads(), 1) - len(under_way)
            for item in islice(waiting, max(room, 0)):
                call = pickle.dumps(_Call(self.witness, self.work, item))
                future = self.client.submit(pickle.loads, call, pure=False)
                under_way[future] = item
            if not under_way:
                return
            for future in self._ended_of(under_way):
                yield under_way.pop(future), _outcome(future)

    def _threads(self) -> int:
        try:
            return sum(self.client.nthreads().values())
        except OSError as error:
            raise ClusterError(_LOST) from error

    def _ended_of(self, futures: Iterable[Any]) -> set[Any]:
        """Wait until an item is done; give up when there is no worker for long."""
        wait, last_seen = import_distributed().wait, time.monotonic()
        while True:
            try:
                with self.client.as_current():
                    ended: set[Any] = wait(list(futures), _LOOK_S, "FIRST_COMPLETED").done
            except TimeoutError:
                last_seen = self._look_for_workers(last_seen)
            except CancelledError as error:
                raise ClusterError(_LOST) from error
            else:
                return ended

    def _look_for_workers(self, last_seen: float) -> float:
        """Return when a worker was seen last."""
        if self._threads():
            return time.monotonic()
        alone_s = time.monotonic() - last_seen
        if alone_s > _PATIENCE_S:
            raise ClusterError(
                f"--scheduler: the cluster must have workers, it had none for {alone_s:.0f} s: "
                "start some with: dask worker ADDRESS"
            )
        logger.warning("the cluster has no worker: waiting for one")
        return last_seen


def _outcome(future: Any) -> bool | None:
    try:
        is_done: bool = future.result()
    except import_distributed().KilledWorker:
        return None
    except CancelledError as error:
        raise ClusterError(_LOST) from error
    except WitnessError as error:
        raise ClusterError(f"--scheduler: {error}") from error
    except (ImportError, RuntimeError) as error:
        raise ClusterError(
            f"--scheduler: a worker cannot do the work ({error}): install mammography there"
        ) from error
    return is_done


@dataclass(frozen=True)
class _Call:
    """A call that is made where its bytes are unpickled.

    So the scheduler needs no package but Dask, and a worker without ours tells it as an
    error of its task. If it met our names outside of a task, the worker itself would end.
    """

    witness: Witness
    work: Callable[[Any], object]
    item: Any

    def __reduce__(self) -> tuple[Callable[..., bool], tuple[Any, ...]]:
        return _work, (self.witness, self.work, self.item)


def _work(witness: Witness, work: Callable[[T], object], item: T) -> bool:
    witness.check()
    return _COMPANY.do(work, item)
