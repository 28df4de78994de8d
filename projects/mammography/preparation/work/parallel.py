"""Work on many items in processes, one of which may die without harm to the others."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from joblib import Parallel, delayed
from tqdm import tqdm

from mammography.preparation.work.companion import Company

T = TypeVar("T")


def for_each(
    work: Callable[[T], object], items: Sequence[T], workers: int, bar: "tqdm[Any]"
) -> list[T]:
    """Call ``work`` on every item and return the items that end their process.

    Each worker is a thread with a process beside it, which does the work: whatever ends a
    process concerns the item that it worked on, which is tried again, and no other.

    Args:
        work: Can be pickled, and keeps its result itself.
        items: What to work on.
        workers: Number of processes; with 0 the work is done in this one, unprotected.
        bar: Progress bar, moved by one for each item.

    Raises:
        Exception: Whatever ``work`` raises.
    """
    if workers == 0:
        for item in items:
            work(item)
            bar.update()
        return []
    fatal: list[T] = []
    with Company() as company:
        run = Parallel(workers, backend="threading", return_as="generator_unordered", batch_size=1)
        for item, is_done in run(delayed(_do)(company, work, item) for item in items):
            fatal += [] if is_done else [item]
            bar.update()
    return fatal


def _do(company: Company, work: Callable[[T], object], item: T) -> tuple[T, bool]:
    return item, company.do(work, item)
