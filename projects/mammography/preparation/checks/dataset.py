"""A prepared source, checked as a whole."""

from pathlib import Path
from typing import Any

from mammography.preparation.checks.files import (
    ALL,
    differing,
    read_files,
    repeated,
    unfinished,
)
from mammography.preparation.checks.images import (
    bad_images,
    examine_image,
    same_pixels,
    wrong_sides,
)
from mammography.preparation.checks.problem import Problem
from mammography.preparation.checks.records import check_records
from mammography.preparation.checks.report import CheckReport
from mammography.preparation.counts import count_records
from mammography.preparation.work.gather import gather
from mammography.structures.annotation import Annotations
from mammography.terms import Split


def check_dataset(root: Path, *, workers: int = 1, show_progress: bool = False) -> CheckReport:
    """Check a prepared source; nothing is written.

    Args:
        root: ``dataset/<source>``.
        workers: Number of processes that read the images.
        show_progress: Show a bar with the rate.

    Raises:
        FileNotFoundError: If the folder holds no annotations.
        ValueError: If there is no worker.
    """
    if not (root / "annotations").is_dir():
        raise FileNotFoundError(
            f"{root} must be a prepared source with a folder annotations: "
            "run tools/prepare_dataset.py to make it"
        )
    files, problems = read_files(root)
    problems += [*repeated(files), *differing(files)]
    whole = files.get(ALL)
    if whole is None:
        return CheckReport(root, {}, problems)
    problems += [*unfinished(root, whole), *check_records(root, whole, files)]
    problems += _check_images(root, whole, workers, show_progress)
    return CheckReport(root, _counts(whole), problems)


def _check_images(
    root: Path, whole: Annotations, workers: int, show_progress: bool
) -> list[Problem]:
    records = whole.records
    paths = [root / record.img_path for record in records]
    title = f"checking {root.name}" if show_progress else None
    facts = gather(examine_image, paths, workers, title)
    return [*bad_images(records, facts), *same_pixels(records, facts), *wrong_sides(records, facts)]


def _counts(whole: Annotations) -> dict[str, dict[str, Any]]:
    """Count all images and those of each split."""
    parts = {split.value: [r for r in whole.records if r.split is split] for split in Split}
    counted = {ALL: list(whole.records)} | {name: part for name, part in parts.items() if part}
    counts = {name: count_records(part, whole.tasks) for name, part in counted.items()}
    for count in counts.values():
        del count["splits"]  # They are the other parts.
    return counts
