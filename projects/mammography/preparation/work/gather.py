"""What a piece of work says about each of many items, done in processes that may die."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from mammography.preparation.work.journal import Journal, read_journal
from mammography.preparation.work.parallel import for_each

T = TypeVar("T")


@dataclass(frozen=True)
class _Noted(Generic[T]):
    """Work that notes its result, as a process that dies later cannot return it."""

    work: Callable[[T], dict[str, Any]]
    journal: Journal

    def __call__(self, numbered: tuple[int, T]) -> None:
        number, item = numbered
        self.journal.append(str(number), "", self.work(item))


def gather(
    work: Callable[[T], dict[str, Any]], items: Sequence[T], workers: int, title: str | None = None
) -> list[dict[str, Any] | None]:
    """Return what ``work`` says about each item, in their order.

    Args:
        work: Can be pickled; what it returns can be JSON.
        items: What to work on.
        workers: Number of processes; with 1 the work is done in this one, unprotected.
        title: Text of a progress bar; none shows none.

    Returns:
        A dictionary per item; ``None`` for one that ends the process.

    Raises:
        ValueError: If there is no worker.
    """
    if workers < 1:
        raise ValueError(f"--workers must be at least 1, got {workers}")
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), 1)
        numbered = list(enumerate(items))
        with tqdm(desc=title, total=len(items), unit="file", disable=title is None) as bar:
            processes = workers if workers > 1 else 0
            for_each(_Noted(work, journal), numbered, processes, bar)
        entries, _ = read_journal(Path(folder))
    found = (entries.get(str(number)) for number, _ in numbered)
    return [entry.result if entry else None for entry in found]
