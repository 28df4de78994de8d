"""All images of one call: what is left of them is prepared, and each has its last word."""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from mammography.preparation.outputs import ANNOTATION_FOLDER, PREPARED_FILE, remove_annotations
from mammography.preparation.prepared_record import IMAGE_FOLDER
from mammography.preparation.rejection import CRASHED
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.journal import JOURNAL_FOLDER, Entry, Journal, read_journal
from mammography.preparation.work.progress import progress_bar


class LostImageError(OSError):
    """An image that was prepared is not there any more."""


class AnyJob(Protocol):
    """What there is to do for one image."""

    @property
    def image_id(self) -> str:
        """Pseudonym of the image."""

    @property
    def path(self) -> Path:
        """File that it is made from."""


J = TypeVar("J", bound=AnyJob)
TakenJob = TypeVar("TakenJob", bound=AnyJob, contravariant=True)


class Shop(Protocol[TakenJob]):
    """Who does a job, and knows whether it is done."""

    @property
    def journal(self) -> Journal:
        """Where finished images are noted."""

    def is_done(self, job: TakenJob, entries: Mapping[str, Entry]) -> bool:
        """Whether an earlier run finished this very job and what it wrote is still there."""

    def is_there(self, job: TakenJob, entries: Mapping[str, Entry]) -> bool:
        """Whether the last word on a job holds."""

    def work(self, job: TakenJob) -> None:
        """Do a job, and note it."""

    def reject(self, job: TakenJob, reason: str) -> None:
        """Note why a job cannot be done."""


@dataclass(frozen=True)
class ImageRun(Generic[J]):
    """One call that prepares images.

    Attributes:
        out: Folder of the prepared source.
        open_shop: Takes the folder of the images and the journal; who does each job.
        crew: Who it is done by.
        overwrite: Do everything again.
        show_progress: Show a bar with the rate.
    """

    out: Path
    open_shop: Callable[[Path, Journal], Shop[J]]
    crew: Crew
    overwrite: bool = False
    show_progress: bool = False

    def prepare(self, jobs: Sequence[J], title: str) -> tuple[dict[str, dict[str, Any]], int]:
        """Prepare the images that no earlier run did.

        Returns:
            What is known of every image, and how many of them earlier runs had done.

        Raises:
            LostImageError: If images vanish meanwhile.
            OSError: If the disk is full.
        """
        shop, todo = self._begin(jobs)
        done = len(jobs) - len(todo)
        with (
            progress_bar(title, len(jobs), show=self.show_progress, done=done) as bar,
            self._witnesses(todo) as witnesses,
        ):
            for job in self.crew.for_each(shop.work, todo, bar, witnesses):
                shop.reject(job, CRASHED)
        entries = self._last_words(shop, jobs)
        return {job.image_id: entries[job.image_id].result or {} for job in jobs}, done

    def _begin(self, jobs: Sequence[J]) -> tuple[Shop[J], list[J]]:
        """Find out what is left to do, and take back what will not hold any more."""
        out = self.out.absolute()  # Workers of a cluster start in another folder.
        entries, last_run = read_journal(out / JOURNAL_FOLDER)
        journal = Journal(out / JOURNAL_FOLDER, last_run + 1)
        shop = self.open_shop(out / IMAGE_FOLDER, journal)
        todo = [job for job in jobs if self.overwrite or not shop.is_done(job, entries)]
        outdated = [entries[job.image_id] for job in todo if job.image_id in entries]
        if todo:
            (out / PREPARED_FILE).unlink(missing_ok=True)
        if any(entry.result and "rejected" not in entry.result for entry in outdated):
            # Until all is done they would place findings on other pixels.
            remove_annotations(out / ANNOTATION_FOLDER)
        journal.forget([entry.image_id for entry in outdated])
        return shop, todo

    @contextmanager
    def _witnesses(self, todo: Sequence[J]) -> Iterator[list[Path]]:
        """Provide files that workers must see: a new one of the output, one of the source."""
        if self.crew.scheduler is None:
            yield []
            return
        probe = self.out.absolute() / JOURNAL_FOLDER / f"probe-{secrets.token_hex(8)}"
        probe.touch(mode=0o600)
        there = (job.path for job in todo if os.path.isfile(job.path))  # noqa: PTH113 - never raises
        try:
            yield [probe, *islice(there, 1)]
        finally:
            probe.unlink(missing_ok=True)

    def _last_words(self, shop: Shop[J], jobs: Sequence[J]) -> Mapping[str, Entry]:
        entries: dict[str, Entry] = {}

        def find_lost() -> list[J]:
            entries.update(read_journal(shop.journal.folder)[0])
            return [job for job in jobs if not shop.is_there(job, entries)]

        lost = self.crew.look_for_lost(find_lost)
        if lost:
            raise LostImageError(
                f"{self.out}: nobody else may change the folder meanwhile, "
                f"but {len(lost)} images are not as they were prepared: run again"
            )
        return entries
