"""Who does the work: this process, processes beside it, or a cluster."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from mammography.preparation.work.cluster import for_each_on_cluster, import_distributed
from mammography.preparation.work.parallel import for_each

T = TypeVar("T")

_NETWORK_WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True)
class Crew:
    """Who does the work.

    Attributes:
        workers: Processes on this machine; 0 is this process itself, which then dies of a
            decoder that crashes.
        scheduler: Address of a Dask scheduler, such as ``tcp://host:8786``, in their place.

    Raises:
        ValueError: If there are fewer than no workers, or workers and a scheduler.
        OSError: If there is a scheduler, but no package to talk to it.
    """

    workers: int = 0
    scheduler: str | None = None

    def __post_init__(self) -> None:
        """Check the numbers, and that Dask is there if it is asked for."""
        if self.workers < 0:
            raise ValueError(f"workers must be at least 0, got {self.workers}")
        if self.scheduler is not None:
            if self.workers:
                raise ValueError(
                    f"--workers must not be given with --scheduler, got {self.workers}: "
                    "the cluster has workers of its own"
                )
            import_distributed()

    def for_each(
        self,
        work: Callable[[T], object],
        items: Sequence[T],
        bar: "tqdm[Any]",
        witnesses: Iterable[Path] = (),
    ) -> list[T]:
        """Call ``work`` on every item and return the items that end their process.

        Args:
            work: Can be pickled, and keeps its result itself.
            items: What to work on.
            bar: Progress bar, moved by one for each item.
            witnesses: Files that every worker of a cluster must see.
        """
        if not items:
            return []
        if self.scheduler is None:
            return for_each(work, items, self.workers, bar)
        return for_each_on_cluster(work, items, self.scheduler, witnesses, bar)

    def look_for_lost(self, find_lost: Callable[[], Sequence[T]]) -> Sequence[T]:
        """Return what the work should have made and did not.

        A network disk tells late what other machines wrote: it has a minute to do so.

        Args:
            find_lost: Looks for it, and returns what is not there.
        """
        for wait_s in _NETWORK_WAITS_S if self.scheduler else ():
            if not find_lost():
                return ()
            time.sleep(wait_s)
        return find_lost()
