"""A whole source: its records, its images in parallel, its annotations."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mammography.preparation.converters import find_converter
from mammography.preparation.counts import count_facts, count_records
from mammography.preparation.image import PreparationOptions
from mammography.preparation.jobs import Job, Workshop
from mammography.preparation.journal import JOURNAL_FOLDER, Journal, read_journal
from mammography.preparation.outputs import (
    remove_annotations,
    write_doubts,
    write_prepared,
    write_rejected,
    write_sources,
    write_split_annotations,
)
from mammography.preparation.parallel import for_each
from mammography.preparation.prepared_record import IMAGE_FOLDER, prepared_record
from mammography.preparation.study import PRIVATE_FOLDER, DatasetOptions, Study, read_study
from mammography.preparation.summary import DOUBTS_FILE, REJECTED_FILE, Summary
from mammography.structures.annotation import Annotations, ImageRecord

CRASHED = "reading it ends the process: damaged, or too large for the memory"
ANNOTATION_FOLDER = "annotations"
_DONE = "prepared.json"  # There when all is done.


def prepare_dataset(
    source: str,
    out: Path,
    root: Path | None = None,
    options: DatasetOptions | None = None,
    *,
    workers: int = 1,
    overwrite: bool = False,
    show_progress: bool = False,
) -> Summary:
    """Prepare all images of a source and write its annotations.

    A run that was killed is continued by the same call: what its journal has is not done
    again, and the files are those of a run in one go. Files, options or versions that
    changed meanwhile are done again.

    Args:
        source: Name of a converter in :mod:`mammography.preparation.sources`.
        out: Folder to write; its name is the name of the prepared source.
        root: Where the source lies; a source that is a package finds itself.
        options: How to prepare it.
        workers: Number of processes.
        overwrite: Do everything again.
        show_progress: Show a bar with the rate.

    Raises:
        ValueError: If the source, a table of it, a task or a split is not as it must be.
        FileNotFoundError: If the source is not there.
    """
    if workers < 1:
        raise ValueError(f"--workers must be at least 1, got {workers}")
    start = time.monotonic()
    options = options or DatasetOptions()
    study = read_study(find_converter(source), root, out, options)
    (out / _DONE).unlink(missing_ok=True)
    results, reused = _prepare_images(
        study.jobs(), out, options.preparation, workers, overwrite, show_progress
    )
    good = {
        study.records[image_id].img_path: result
        for image_id, result in results.items()
        if "rejected" not in result
    }
    prepared = _records(study, results)
    summary = Summary(
        out,
        counts=count_records(prepared, study.tasks),
        facts=count_facts(result["facts"] for result in good.values()),
        rejected={
            study.records[image_id].img_path: result["rejected"]
            for image_id, result in results.items()
            if "rejected" in result
        },
        doubts={
            path: result["facts"]["doubts"]
            for path, result in good.items()
            if result["facts"].get("doubts")
        },
        reused=reused,
        stale=_stale(out / IMAGE_FOLDER, prepared),
        seconds=time.monotonic() - start,
    )
    _write(study, options, prepared, summary)
    return summary


def _prepare_images(
    jobs: Sequence[Job],
    out: Path,
    options: PreparationOptions,
    workers: int,
    overwrite: bool,
    show_progress: bool,
) -> tuple[dict[str, dict[str, Any]], int]:
    """Return the result of every image, and how many of them earlier runs had."""
    entries, last_run = read_journal(out / JOURNAL_FOLDER)
    journal = Journal(out / JOURNAL_FOLDER, last_run + 1)
    shop = Workshop(out / IMAGE_FOLDER, journal, options)
    todo = [job for job in jobs if overwrite or not shop.is_done(job, entries)]
    outdated = [entries[job.image_id] for job in todo if job.image_id in entries]
    if any(entry.result and "rejected" not in entry.result for entry in outdated):
        # Until all is done they would place findings on other pixels.
        remove_annotations(out / ANNOTATION_FOLDER)
    journal.forget([entry.image_id for entry in outdated])
    done = len(jobs) - len(todo)
    with tqdm(
        desc=f"preparing {_name(out)}",
        total=len(jobs),
        initial=done,
        unit="image",
        disable=not show_progress,
    ) as bar:
        for job in for_each(shop.work, todo, workers, bar):
            shop.reject(job, CRASHED)
    for path in shop.images.glob(".*.png.*"):  # Half written when a process was killed.
        path.unlink()
    entries, _ = read_journal(out / JOURNAL_FOLDER)
    return {job.image_id: entries[job.image_id].result or {} for job in jobs}, done


def _name(out: Path) -> str:
    """Name of the prepared source, also where the folder is given as ``.``."""
    return out.name if out.name not in ("", "..") else out.resolve().name


def _records(study: Study, results: Mapping[str, dict[str, Any]]) -> list[ImageRecord]:
    """Return the records of the images that could be prepared, patient by patient."""
    records = [
        prepared_record(source, results[image_id], study.names, study.split_of(source))
        for image_id, source in study.records.items()
        if "rejected" not in results[image_id]
    ]
    return sorted(records, key=_place)


def _place(record: ImageRecord) -> tuple[str, ...]:
    """Pseudonyms first: the order tells nothing about the source."""
    values = (record.patient_id, record.exam_id, record.laterality, record.view_position)
    return *(str(value or "") for value in values), str(record.image_id)


def _stale(folder: Path, prepared: Sequence[ImageRecord]) -> tuple[str, ...]:
    current = {f"{record.image_id}.png" for record in prepared}
    return tuple(sorted(path.name for path in folder.glob("*.png") if path.name not in current))


def _write(
    study: Study, options: DatasetOptions, prepared: Sequence[ImageRecord], summary: Summary
) -> None:
    out, level = summary.out, study.converter.level
    paths = {image_id: record.img_path for image_id, record in study.records.items()}
    write_sources(out / PRIVATE_FOLDER / "sources.csv", paths)
    write_rejected(out / REJECTED_FILE, summary.rejected)
    write_doubts(out / DOUBTS_FILE, summary.doubts)
    write_split_annotations(
        out / ANNOTATION_FOLDER, Annotations(study.tasks, tuple(prepared), _name(out), level)
    )
    done = {
        "source": _name(out),
        "converter": study.converter.name,
        "converter_options": study.converter.told_options(options.source_options),
        "preparation": asdict(options.preparation),
        "splits": "of the source" if study.has_own_splits else dict(options.fractions),
        "seed": options.seed,
        "limit": options.limit,
        "prepared": summary.counts,
        "facts": summary.facts,
        "stale_images": len(summary.stale),
        "reused_images": summary.reused,
        "seconds": round(summary.seconds, 1),
    }
    write_prepared(out / _DONE, summary.rejected, done)
