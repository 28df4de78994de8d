"""Who was tested: images, patients and labels of each task."""

import numpy as np

from mammography.reports.blocks import Block, Section, Table
from mammography.reports.remedies import missing_predictions
from mammography.reports.run_folder import Run
from mammography.reports.wording import ABSENT, number
from mammography.structures.prediction import Dump, PredictionRecord
from mammography.structures.task import Task
from mammography.terms import TaskKind

# Fields of a record whose distribution is worth a row.
_FIELDS = (("split", "split"), ("laterality", "laterality"), ("view_position", "view"))


def cohort_section(run: Run) -> Section:
    """Count what was tested."""
    if run.dump is None:
        blocks: tuple[Block, ...] = (missing_predictions(run),)
    else:
        blocks = (_labels(run.dump), _composition(run.dump))
    return Section("cohort", "Test set", blocks)


def _labels(dump: Dump) -> Table:
    rows = []
    for name, task in dump.tasks.items():
        labelled = [record for record in dump.records if name in record.gt_label]
        rows.append(
            (
                f"{name} ({task.kind})",
                f"{len(labelled):,}",
                _patients(labelled),
                _distribution(task, np.array([record.gt_label[name] for record in labelled])),
            )
        )
    header = ("task", "labelled images", "patients", "labels")
    return Table("Labels of each task", header, tuple(rows), wide=(3,))


def _distribution(task: Task, labels: np.ndarray) -> str:
    if not len(labels):
        return ABSENT
    if task.kind is TaskKind.REGRESSION:
        return (
            f"median {number(float(np.median(labels)))}, "
            f"range {number(float(labels.min()))} to {number(float(labels.max()))}"
        )
    counts = [(name, int((labels == index).sum())) for index, name in enumerate(task.classes)]
    return " · ".join(f"{name}: {count:,}" for name, count in counts)


def _composition(dump: Dump) -> Table:
    rows = []
    for field, title in _FIELDS:
        values = [getattr(record, field) or "not recorded" for record in dump.records]
        for value in sorted(set(values)):
            chosen = [
                record for record, own in zip(dump.records, values, strict=True) if own == value
            ]
            rows.append((f"{title} {value}", f"{len(chosen):,}", _patients(chosen)))
    return Table("Images by split, side and view", ("", "images", "patients"), tuple(rows))


def _patients(records: list[PredictionRecord]) -> str:
    names = {record.patient_id for record in records}
    return ABSENT if None in names else f"{len(names):,}"
