"""All images of one call: what is left of them is prepared, and each has its last word."""

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from mammography.preparation.image import PreparationOptions
from mammography.preparation.jobs import Job, Workshop
from mammography.preparation.outputs import ANNOTATION_FOLDER, PREPARED_FILE, remove_annotations
from mammography.preparation.prepared_record import IMAGE_FOLDER
from mammography.preparation.rejection import CRASHED
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.journal import JOURNAL_FOLDER, Entry, Journal, read_journal
from mammography.preparation.work.progress import progress_bar


class LostImageError(OSError):
    """An image that was prepared is not there any more."""


@dataclass(frozen=True)
class ImageRun:
    """One call that prepares images.

    Attributes:
        out: Folder of the prepared source.
        options: How the pixels are prepared.
        crew: Who does it.
        overwrite: Do everything again.
        show_progress: Show a bar with the rate.
    """

    out: Path
    options: PreparationOptions
    crew: Crew
    overwrite: bool = False
    show_progress: bool = False

    def prepare(self, jobs: Sequence[Job], title: str) -> tuple[dict[str, dict[str, Any]], int]:
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

    def _begin(self, jobs: Sequence[Job]) -> tuple[Workshop, list[Job]]:
        """Find out what is left to do, and take back what will not hold any more."""
        out = self.out.absolute()  # Workers of a cluster start in another folder.
        entries, last_run = read_journal(out / JOURNAL_FOLDER)
        journal = Journal(out / JOURNAL_FOLDER, last_run + 1)
        shop = Workshop(out / IMAGE_FOLDER, journal, self.options)
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
    def _witnesses(self, todo: Sequence[Job]) -> Iterator[list[Path]]:
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

    def _last_words(self, shop: Workshop, jobs: Sequence[Job]) -> Mapping[str, Entry]:
        entries: dict[str, Entry] = {}

        def find_lost() -> list[Job]:
            entries.update(read_journal(shop.journal.folder)[0])
            return [job for job in jobs if not shop.is_there(job, entries)]

        lost = self.crew.look_for_lost(find_lost)
        if lost:
            raise LostImageError(
                f"{self.out}: nobody else may change the folder meanwhile, "
                f"but {len(lost)} images are not as they were prepared: run again"
            )
        return entries
