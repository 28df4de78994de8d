"""What a prepared source holds, in numbers to compare with its card."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mammography.preparation.prepared_record import is_cut
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level, Split, TaskKind


def count_records(records: Sequence[ImageRecord], tasks: dict[str, Task]) -> dict[str, Any]:
    """Count images by all that may differ between splits and hospitals.

    Returns:
        Plain dictionary: totals, images by machine, view, side and label, and the same
        labels for each split.
    """
    return {
        **_totals(records),
        "manufacturer": _tally(record.manufacturer for record in records),
        "view_position": _tally(record.view_position for record in records),
        "laterality": _tally(record.laterality for record in records),
        "labels": _labels(records, tasks),
        "splits": {
            split.value: _totals(part) | {"labels": _labels(part, tasks)}
            for split in Split
            if (part := [record for record in records if record.split is split])
        },
    }


def count_listed(
    records: Sequence[ImageRecord], tasks: dict[str, Task], level: Level
) -> dict[str, Any]:
    """Count what tables list, before any image is prepared.

    Returns:
        Plain dictionary: images, breasts, exams, patients and labels of images, for labels
        of a higher level also how many of its units have each; the same for each split.
        Where images of a unit have different labels, the highest counts.
    """
    parts = {
        split.value: _listed(part, tasks, level)
        for split in Split
        if (part := [record for record in records if record.split is split])
    }
    return _listed(records, tasks, level) | {"splits": parts}


def _listed(records: Sequence[ImageRecord], tasks: dict[str, Task], level: Level) -> dict[str, Any]:
    totals = {
        "images": len(records),
        "breasts": len({(r.patient_id, r.laterality) for r in records if r.laterality}),
        "exams": len({(r.patient_id, r.exam_id) for r in records if r.exam_id}),
        "patients": len({record.patient_id for record in records}),
    }
    counts = totals | {"labels": _labels(records, tasks)}
    if level in _UNITS:
        counts[f"labels_by_{level}"] = _labels(_units(records, level), tasks)
    return counts


_UNITS: dict[Level, tuple[str, ...]] = {
    Level.BREAST: ("patient_id", "exam_id", "laterality"),
    Level.EXAM: ("patient_id", "exam_id"),
    Level.PATIENT: ("patient_id",),
}


def _units(records: Sequence[ImageRecord], level: Level) -> list[ImageRecord]:
    """Return one record per breast, exam or patient."""
    units: dict[tuple[Any, ...], ImageRecord] = {}
    for record in records:
        key = tuple(getattr(record, name) for name in _UNITS[level])
        unit = units.setdefault(key, replace(record, gt_label={}))
        for name, label in record.gt_label.items():
            unit.gt_label[name] = max(label, unit.gt_label.get(name, label))
    return list(units.values())


def _totals(records: Sequence[ImageRecord]) -> dict[str, int]:
    return {
        "images": len(records),
        "patients": len({record.patient_id for record in records}),
        "exams": len({record.exam_id for record in records if record.exam_id}),
        "findings": sum(len(record.findings) for record in records),
        "findings_cut": sum(is_cut(f, r.size_hw) for r in records for f in r.findings),
    }


def _tally(values: Iterable[str | None]) -> dict[str, int]:
    counter = Counter("unknown" if value is None else str(value) for value in values)
    return dict(sorted(counter.items()))


def _labels(
    records: Sequence[ImageRecord], tasks: dict[str, Task]
) -> dict[str, Mapping[str, float]]:
    return {name: _distribution(records, task) for name, task in tasks.items()}


def _distribution(records: Sequence[ImageRecord], task: Task) -> Mapping[str, float]:
    """Images per class, or the range of a value; and how many have none."""
    labels = [record.gt_label[task.name] for record in records if task.name in record.gt_label]
    missing = {"missing": len(records) - len(labels)}
    if task.kind is not TaskKind.REGRESSION:
        counter = Counter(task.classes[int(label)] for label in labels)
        return {name: counter[name] for name in task.classes} | missing
    if not labels:
        return {"images": 0} | missing
    mean = sum(labels) / len(labels)
    return {"images": len(labels), "min": min(labels), "mean": mean, "max": max(labels)} | missing


def count_facts(facts: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Count what the preparation found and did, fact by fact.

    Of several things, such as doubts, each counts; of a detailed one its kind.

    Example:
        >>> count_facts([{"lossy": False, "doubts": ["modality is not MG"]}, {"lossy": False}])
        {'lossy': {'False': 2}, 'doubts': {'modality is not MG': 1}}
    """
    tallies: dict[str, Counter[str]] = {}
    for image in facts:
        for name, value in image.items():
            values = value if isinstance(value, list) else [value]
            kinds = (item.get("kind") if isinstance(item, Mapping) else item for item in values)
            tallies.setdefault(name, Counter()).update(
                "none" if k is None else str(k) for k in kinds
            )
    return {name: dict(sorted(tally.items())) for name, tally in tallies.items()}
