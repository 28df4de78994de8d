"""All patches of a prepared source: images in parallel, then annotations, table and account."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mammography.preparation.counts import count_records
from mammography.preparation.image_run import ImageRun
from mammography.preparation.outputs import (
    ANNOTATION_FOLDER,
    PREPARED_FILE,
    REJECTED_FILE,
    csv_table,
    remove_annotations,
    remove_half_written,
    write_prepared,
    write_rejected,
    write_split_annotations,
)
from mammography.preparation.patches.jobs import PatchJob, PatchWorkshop
from mammography.preparation.patches.lesion_classes import CLASSES, LESION_TASK
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.patches.patch_record import COLUMNS, patch_record, table_row
from mammography.preparation.patches.source import PatchSource, PatchSourceError, read_source
from mammography.preparation.prepared_record import IMAGE_FOLDER
from mammography.preparation.whole_files import remove_unfinished, write_whole
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.journal import JOURNAL_FOLDER
from mammography.preparation.work.occupancy import occupy
from mammography.structures.annotation import Annotations, ImageRecord
from mammography.terms import Level, Split

TABLE_FILE = "patches.csv"
WHOLE_IMAGE_FOLDER = "whole_images"  # Annotations of the source with the splits of the patches.
_LOCK_FILE = "lock"


@dataclass(frozen=True)
class PatchSummary:
    """What a run did.

    Attributes:
        out: Folder of the patches.
        counts: Patches, images and patients, and patches of each class, by split.
        left_out: Findings without patches, by reason.
        rules: How often each rule applied.
        rejected: Path of each image that cannot be used, to the reason.
        reused: Images that earlier runs had finished.
        stale: Files that belong to no annotation, of earlier runs.
    """

    out: Path
    counts: dict[str, dict[str, Any]]
    left_out: dict[str, int]
    rules: dict[str, int]
    rejected: dict[str, str]
    reused: int
    stale: int

    @property
    def total(self) -> int:
        """Number of patches."""
        return sum(part["patches"] for part in self.counts.values())

    @property
    def exit_code(self) -> int:
        """0: all done; 3: some images rejected; 1: no patch."""
        if not self.total:
            return 1
        return 3 if self.rejected else 0

    def __str__(self) -> str:
        """Say what was done, the number of patches in the last line."""
        lines = [
            f"{split}: {part['patches']} patches of {part['images']} images of "
            f"{part['patients']} patients: "
            + ", ".join(f"{number} {name}" for name, number in part["classes"].items())
            for split, part in self.counts.items()
        ]
        lines += [f"findings left out: {why}: {number}" for why, number in self.left_out.items()]
        lines += [f"{rule}: {number}" for rule, number in self.rules.items()]
        lines += [f"rejected: {why}: {n}" for why, n in Counter(self.rejected.values()).items()]
        if self.stale:
            lines.append(f"PNG files without annotation, of earlier runs: {self.stale}")
        where = f": see {self.out / REJECTED_FILE}" if self.rejected else ""
        last = f"{self.out}: {self.total} patches, {len(self.rejected)} images rejected{where}"
        return "\n".join([*lines, last])


def make_patches(
    source: Path,
    out: Path,
    options: PatchOptions | None = None,
    fractions: Mapping[Split, float] | None = None,
    *,
    workers: int = 0,
    overwrite: bool = False,
    show_progress: bool = False,
) -> PatchSummary:
    """Cut the patches of a prepared source and write their annotations, table and account.

    A run that was killed is continued by the same call, and ends with the same files as a run
    in one go, with any number of workers.

    Args:
        source: Folder of the prepared source; it is only read.
        out: Folder to write.
        options: Which patches.
        fractions: Share of patients per split, to split anew, stratified by cancer; then
            ``whole_images`` holds the annotations of the source with the same splits, since
            an image model that starts from the patch model must keep to them. None takes the
            splits of the source.
        workers: Number of processes; 0 works in this one.
        overwrite: Do everything again.
        show_progress: Show a bar with the rate.

    Raises:
        ValueError: If the source has no findings with a class, or no splits.
        FileNotFoundError: If the source is not there.
        OSError: If another call works in the folder, or the disk is full.
    """
    options = options or PatchOptions()
    if source.resolve() == out.resolve():
        raise PatchSourceError(f"--out must be another folder than that of the source, got {out}")
    whole = read_source(source, options, fractions)
    jobs = [
        PatchJob(str(record.image_id), source / record.img_path, record)
        for record in whole.with_findings
    ]
    open_shop = partial(PatchWorkshop, options=options)
    run: ImageRun[PatchJob] = ImageRun(out, open_shop, Crew(workers), overwrite, show_progress)
    with occupy(out, out / JOURNAL_FOLDER / _LOCK_FILE, alone=True):
        (out / PREPARED_FILE).unlink(missing_ok=True)
        results, reused = run.prepare(jobs, f"cutting patches of {source.name}")
        records = {str(record.image_id): record for record in whole.with_findings}
        rejected = {
            records[name].img_path: found["rejected"]
            for name, found in results.items()
            if "rejected" in found
        }
        good = {name: found for name, found in results.items() if "rejected" not in found}
        pairs = _patches(records, good, options)
        summary = PatchSummary(
            out,
            counts=_count(pairs),
            left_out=_tally(found["left_out"] for found in good.values()),
            rules=_tally(found["rules"] for found in good.values()),
            rejected=rejected,
            reused=reused,
            stale=_stale(out, pairs),
        )
        _write(whole, options, fractions, pairs, summary)
        remove_half_written(out)
        remove_unfinished(out, (TABLE_FILE,))
        remove_unfinished(out / WHOLE_IMAGE_FOLDER, ("*.json",))
    return summary


Pairs = list[tuple[ImageRecord, dict[str, Any], str]]


def _patches(
    records: Mapping[str, ImageRecord], results: Mapping[str, dict[str, Any]], options: PatchOptions
) -> Pairs:
    """Return record, note and source image of every patch, patient by patient."""
    order = sorted(results, key=lambda name: (str(records[name].patient_id), name))
    return [
        (patch_record(records[name], patch, options.patch_hw), patch, name)
        for name in order
        for patch in results[name]["patches"]
    ]


def _count(pairs: Pairs) -> dict[str, dict[str, Any]]:
    counts = {}
    for split in Split:
        part = [(record, patch, name) for record, patch, name in pairs if record.split is split]
        classes = Counter(patch["class"] for _, patch, _ in part)
        if part:
            counts[split.value] = {
                "patches": len(part),
                "images": len({name for _, _, name in part}),
                "patients": len({record.patient_id for record, _, _ in part}),
                "classes": {name: classes[i] for i, name in enumerate(CLASSES)},
            }
    return counts


def _tally(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for found in counts:
        total.update(found)
    return dict(sorted(total.items()))


def _stale(out: Path, pairs: Pairs) -> int:
    current = {record.image_id for record, _, _ in pairs}
    return sum(path.stem not in current for path in (out / IMAGE_FOLDER).glob("*.png"))


def _write(
    whole: PatchSource,
    options: PatchOptions,
    fractions: Mapping[Split, float] | None,
    pairs: Pairs,
    summary: PatchSummary,
) -> None:
    out, images = summary.out, whole.annotations.records
    patches = tuple(record for record, _, _ in pairs)
    tasks = {LESION_TASK.name: LESION_TASK}
    write_rejected(out / REJECTED_FILE, summary.rejected)
    write_split_annotations(
        out / ANNOTATION_FOLDER, Annotations(tasks, patches, out.resolve().name, Level.PATCH)
    )
    if whole.has_own_splits:
        remove_annotations(out / WHOLE_IMAGE_FOLDER)  # Of an earlier run, with other splits.
    else:
        write_split_annotations(out / WHOLE_IMAGE_FOLDER, whole.annotations)
    rows = (table_row(record, patch, name) for record, patch, name in pairs)
    write_whole(out / TABLE_FILE, csv_table(COLUMNS, rows))
    account = {
        "source": whole.annotations.source,
        "options": asdict(options) | {"rules": asdict(options.rules())},
        "splits": "of the source" if fractions is None else dict(fractions),
        "images": {
            "of the source": len(images),
            "without a finding": sum(not record.findings for record in images),
            "with patches": len({name for _, _, name in pairs}),
        },
        "findings": {
            "of the source": sum(len(record.findings) for record in images),
            "with patches": len({(n, p["lesion"]) for _, p, n in pairs if p["lesion"] is not None}),
            "left out": summary.left_out,
        },
        "patches": summary.counts,
        "prepared": count_records(patches, tasks),
        "rules": summary.rules,
        "stale_images": summary.stale,
    }
    write_prepared(out / PREPARED_FILE, summary.rejected, account)
