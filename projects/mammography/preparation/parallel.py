"""Work on many items in processes, one of which may die without harm to the others."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import cv2
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError
from tqdm import tqdm

T = TypeVar("T")


def for_each(
    work: Callable[[T], object], items: Sequence[T], workers: int, bar: "tqdm[Any]"
) -> list[T]:
    """Call ``work`` on every item and return the items that end their process.

    A decoder that crashes on a damaged file takes its process with it, and joblib then
    gives up. The items that were under way are tried again, each in a process of its
    own, so that the culprit is known and the others are not lost.

    Args:
        work: Can be pickled, and keeps its result itself.
        items: What to work on.
        workers: Number of processes; with 1 the work is done in this one, unprotected.
        bar: Progress bar, moved by one for each item.

    Raises:
        Exception: Whatever ``work`` raises.
    """
    if workers == 1:
        for item in items:
            work(item)
            bar.update()
        return []
    fatal: list[T] = []
    waiting = list(items)
    while waiting:
        started: list[T] = []
        done: set[int] = set()
        try:
            for place in _run(work, _noting(waiting, started), workers):
                done.add(place)
                bar.update()
        except TerminatedWorkerError:
            suspects = [item for place, item in enumerate(started) if place not in done]
            fatal += _try_alone(work, suspects)
            bar.update(len(suspects))
        waiting = waiting[len(started) :]
    return fatal


def _run(work: Callable[[T], object], items: Iterable[T], workers: int) -> Iterator[int]:
    """Yield the place of each item when it is done."""
    with parallel_config(backend="loky", inner_max_num_threads=1):
        run = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        yield from run(delayed(_work_on)(work, place, item) for place, item in enumerate(items))


def _noting(items: Iterable[T], started: list[T]) -> Iterator[T]:
    for item in items:
        started.append(item)
        yield item


def _work_on(work: Callable[[T], object], place: int, item: T) -> int:
    cv2.setNumThreads(1)  # There is a process per core already.
    work(item)
    return place


def _try_alone(work: Callable[[T], object], items: Iterable[T]) -> list[T]:
    """Work on one item at a time; return those that end the process."""
    fatal = []
    pool = ProcessPoolExecutor(max_workers=1)
    for item in items:
        try:
            pool.submit(_work_on, work, 0, item).result()
        except TerminatedWorkerError:
            fatal.append(item)
            pool = ProcessPoolExecutor(max_workers=1)
    pool.shutdown()
    return fatal
