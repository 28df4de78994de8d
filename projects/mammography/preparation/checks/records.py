"""What the records of a prepared source say, without a look at the images."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from mammography.preparation.checks.problem import Problem
from mammography.preparation.prepared_record import IMAGE_FOLDER, is_cut
from mammography.structures.annotation import Annotations, Finding, ImageRecord
from mammography.terms import Split, TaskKind

_LEAST_LABELS = 2  # Values of a task that a split needs so that anything can be measured.


def shared_patients(files: Mapping[str, Annotations]) -> list[Problem]:
    """Find patients of several splits, by name of the file or by word of the record."""
    splits: dict[str, set[str]] = defaultdict(set)
    for name, annotations in files.items():
        for record in annotations.records:
            if record.patient_id is not None:
                stated = {name, str(record.split)} & {split.value for split in Split}
                splits[record.patient_id] |= stated
    return [
        Problem("patients", f"patient {patient}", f"is in {' and '.join(sorted(found))}")
        for patient, found in splits.items()
        if len(found) > 1
    ]


def unknown_patients(records: Iterable[ImageRecord]) -> list[Problem]:
    """Find images without a patient: nobody can tell whether splits share her."""
    return [
        Problem("patients", str(record.image_id), "patient_id is missing")
        for record in records
        if record.patient_id is None
    ]


def unsafe_paths(records: Iterable[ImageRecord]) -> list[Problem]:
    """Find paths that lead out of the source."""
    paths = {record.image_id: PurePosixPath(record.img_path) for record in records}
    return [
        Problem("images", str(image_id), f"img_path must lie in the source, got {path}")
        for image_id, path in paths.items()
        if path.is_absolute() or ".." in path.parts
    ]


def findings_outside(records: Iterable[ImageRecord]) -> list[Problem]:
    """Find boxes that are none, that lie beyond the image, or that it cuts."""
    problems = []
    for record in records:
        for i, finding in enumerate(record.findings):
            fault, is_error = _box_fault(finding, record)
            if fault:
                where = f"{record.image_id}: findings[{i}]"
                problems.append(Problem("findings", where, fault, is_error))
    return problems


def _box_fault(finding: Finding, record: ImageRecord) -> tuple[str | None, bool]:
    box = finding.box
    left, top, right, bottom = box
    if not (left < right and top < bottom):
        return f"box must be left, top, right, bottom, got {list(box)}", True
    if record.size_hw is None:
        return None, False
    height, width = record.size_hw
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        return f"box {list(box)} lies outside of the image of {height} x {width}", True
    return ("the image cuts it", False) if is_cut(finding, record.size_hw) else (None, False)


def unnamed_files(root: Path, records: Iterable[ImageRecord]) -> list[Problem]:
    """Find files in the folder of images that no record names."""
    named = {record.img_path for record in records}
    folder = root / IMAGE_FOLDER
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    paths = [path.relative_to(root).as_posix() for path in found]
    return [
        Problem("images", path, "no annotation names it", is_error=False)
        for path in paths
        if path not in named
    ]


def poor_labels(annotations: Annotations) -> list[Problem]:
    """Find tasks that cannot be learnt or measured in a split, for want of labels."""
    problems = []
    for split in Split:
        part = [record for record in annotations.records if record.split is split]
        for name, task in annotations.tasks.items():
            labels = [record.gt_label[name] for record in part if name in record.gt_label]
            if part and len(set(labels)) < _LEAST_LABELS:
                kind = "values" if task.kind is TaskKind.REGRESSION else "classes"
                text = f"{name} must have at least two {kind} in it, got {len(set(labels))}"
                problems.append(Problem("labels", f"split {split.value}", text, is_error=False))
    return problems


def check_records(
    root: Path, whole: Annotations, files: Mapping[str, Annotations]
) -> list[Problem]:
    """Apply all checks of this module.

    Args:
        root: Folder of the prepared source.
        whole: Content of ``all.json``.
        files: Content of all annotation files by name.
    """
    listed = [record for annotations in files.values() for record in annotations.records]
    return [
        *([] if whole.records else [Problem("annotations", "all.json", "lists no image")]),
        *shared_patients(files),
        *unknown_patients(whole.records),
        *unsafe_paths(whole.records),
        *findings_outside(whole.records),
        *unnamed_files(root, listed),
        *poor_labels(whole),
    ]
