"""A whole source: its records, its images in parallel, its annotations."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from mammography.preparation.cache import PixelCache, fill_cache
from mammography.preparation.converters import find_converter
from mammography.preparation.counts import count_facts, count_records
from mammography.preparation.image_run import ImageRun
from mammography.preparation.jobs import Workshop
from mammography.preparation.outputs import (
    ANNOTATION_FOLDER,
    DOUBTS_FILE,
    PREPARED_FILE,
    REJECTED_FILE,
    SOURCES_FILE,
    remove_half_written,
    write_doubts,
    write_prepared,
    write_rejected,
    write_sources,
    write_split_annotations,
)
from mammography.preparation.prepared_record import IMAGE_FOLDER, prepared_record
from mammography.preparation.study import PRIVATE_FOLDER, DatasetOptions, Study, read_study
from mammography.preparation.summary import Summary
from mammography.preparation.timings import describe_timings
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.journal import JOURNAL_FOLDER
from mammography.preparation.work.occupancy import occupy
from mammography.preparation.work.shards import Shard
from mammography.structures.annotation import Annotations, ImageRecord
from mammography.structures.pixel_cache import CACHE_FOLDER, CacheKind

_LOCK_FILE = "lock"


def prepare_dataset(
    source: str,
    out: Path,
    root: Path | None = None,
    options: DatasetOptions | None = None,
    *,
    workers: int = 0,
    scheduler: str | None = None,
    shard: Shard | None = None,
    cache: CacheKind | None = None,
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
        workers: Number of processes; 0 works in this one, which a decoder that crashes ends.
        scheduler: Address of a Dask scheduler that does the work in their place; its
            workers must see source and output under the same paths.
        shard: Prepare this part of the images only, and write no annotations; calls for
            other parts may run at the same time. A call without it merges them.
        cache: Store decoded pixels beside the PNG files as well.
        overwrite: Do everything again.
        show_progress: Show a bar with the rate.

    Raises:
        ValueError: If the source, a table of it, a task or a split is not as it must be.
        FileNotFoundError: If the source is not there.
        OSError: If another call works in the folder, the disk is full, or a cluster is not
            there or cannot do the work.
    """
    start = time.monotonic()
    crew = Crew(workers, scheduler)
    options = options or DatasetOptions()
    if scheduler is not None and root is not None:
        root = root.absolute()  # Its workers start in another folder.
    study = read_study(find_converter(source), root, out, options)
    jobs = study.jobs() if shard is None else shard.take(study.jobs())
    open_shop = partial(Workshop, options=options.preparation)
    run = ImageRun(out, open_shop, crew, overwrite, show_progress)
    with occupy(out, out / JOURNAL_FOLDER / _LOCK_FILE, alone=shard is None):
        if shard is None:
            (out / PREPARED_FILE).unlink(missing_ok=True)
        results, reused = run.prepare(jobs, f"preparing {_name(out)}")
        good = {name: found for name, found in results.items() if "rejected" not in found}
        pixels = cache and PixelCache((out / IMAGE_FOLDER).absolute(), cache)
        if pixels:
            fill_cache(pixels, good, crew, show_progress=show_progress)
        prepared = _records(study, good)
        summary = Summary(
            out,
            shard=shard,
            counts=count_records(prepared, study.tasks),
            facts=count_facts(found["facts"] for found in good.values()),
            rejected=_rejected(study, results),
            doubts=_doubts(study, good),
            cached=pixels.describe(good) if pixels else None,
            stale=_stale(out, prepared) if shard is None else (),
            timings=describe_timings(good.values(), len(jobs) - reused, time.monotonic() - start),
            reused=reused,
        )
        if shard is None:
            _write(study, options, prepared, summary)
            remove_half_written(out)
    return summary


def _name(out: Path) -> str:
    """Name of the prepared source, also where the folder is given as ``.``."""
    return out.name if out.name not in ("", "..") else out.resolve().name


def _rejected(study: Study, results: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    return {
        study.records[image_id].img_path: result["rejected"]
        for image_id, result in results.items()
        if "rejected" in result
    }


def _doubts(study: Study, good: Mapping[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {
        study.records[image_id].img_path: result["facts"]["doubts"]
        for image_id, result in good.items()
        if result["facts"].get("doubts")
    }


def _records(study: Study, good: Mapping[str, dict[str, Any]]) -> list[ImageRecord]:
    """Return the records of the images that could be prepared, patient by patient."""
    sources = ((study.records[image_id], result) for image_id, result in good.items())
    records = [
        prepared_record(source, result, study.names, study.split_of(source))
        for source, result in sources
    ]
    return sorted(records, key=_place)


def _place(record: ImageRecord) -> tuple[str, ...]:
    """Pseudonyms first: the order tells nothing about the source."""
    values = (record.patient_id, record.exam_id, record.laterality, record.view_position)
    return *(str(value or "") for value in values), str(record.image_id)


def _stale(out: Path, prepared: Sequence[ImageRecord]) -> tuple[str, ...]:
    """Names of files that hold pixels of no image that has an annotation."""
    current = {record.image_id for record in prepared}
    paths = [*(out / IMAGE_FOLDER).glob("*.png"), *(out / CACHE_FOLDER).glob("*.*")]
    return tuple(sorted(path.name for path in paths if path.stem not in current))


def _write(
    study: Study, options: DatasetOptions, prepared: Sequence[ImageRecord], summary: Summary
) -> None:
    out, level = summary.out, study.converter.level
    paths = {image_id: record.img_path for image_id, record in study.records.items()}
    write_sources(out / PRIVATE_FOLDER / SOURCES_FILE, paths)
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
        "cache": summary.cached,
        "stale_images": len(summary.stale),
        "reused_images": summary.reused,
        "timings": summary.timings,
    }
    write_prepared(out / PREPARED_FILE, summary.rejected, done)
