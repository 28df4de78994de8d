"""The metrics of the test, one row per task."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from mammography.functional.area_estimates import estimate_areas
from mammography.reports.blocks import Section, Table, Text
from mammography.reports.remedies import missing_metrics
from mammography.reports.run_folder import Run
from mammography.reports.sections.decisions import OF_CASES, decision_blocks
from mammography.reports.task_scores import TaskScores
from mammography.reports.wording import ABSENT, metric_label, metric_order, number

_COUNTS = {"n": "n", "n_positive": "positive"}
_EXPLANATION = (
    "Each image counts as one case, so two views of a breast count twice; intervals take "
    "patients as units. A difference between two runs is not shown to be more than chance. For a "
    "task of more than two classes, ROC-AUC is the mean over the classes of each against the "
    "others."
)


def results_section(run: Run) -> Section:
    """Tabulate ``test/metrics.json``: one table for all tasks of the same metrics."""
    if not run.metrics:
        return Section("results", "Test results", (missing_metrics(run),))
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, values in run.metrics.items():
        groups.setdefault(_metrics(values), []).append(name)
    tables = tuple(_table(run, names, metrics) for metrics, names in groups.items())
    intervals = [interval(scores) for scores in run.scores.values()]
    texts = [*filter(None, intervals), _EXPLANATION]
    blocks = (*tables, *map(Text, texts), *decision_blocks(run))
    return Section("results", "Test results", blocks)


def interval(scores: TaskScores) -> str | None:
    """Tell the ROC-AUC of a binary task with its interval, where one can be given."""
    patients = [record.patient_id for record in scores.records if record.patient_id is not None]
    if scores.roc_auc is None or len(patients) < len(scores.labels):
        return None
    found = estimate_areas(scores.labels, patients, scores.scores)
    if found.roc_areas is None:  # Too few of a class, of which the summary warns.
        return None
    low, high = found.roc[0].interval
    within = (
        "no interval, as all cases are in order"
        if isnan(low)
        else f"95 % interval {low:.3f} to {high:.3f} (Obuchowski 1997, patients as units)"
    )
    return (
        f"{scores.task.name}: ROC-AUC {scores.roc_auc:.3f}, {within}; n = {len(scores.labels)} "
        f"images of {len(set(patients))} patients, {scores.n_positive} positive."
    )


def _metrics(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the metrics of a task: what holds a number or nothing."""
    told = [
        key
        for key, value in values.items()
        if key not in (*_COUNTS, *OF_CASES) and (value is None or isinstance(value, int | float))
    ]
    return tuple(metric_order(told))


def _table(run: Run, names: list[str], metrics: tuple[str, ...]) -> Table:
    chosen = {name: (run.metrics or {})[name] for name in names}
    counts = [key for key in _COUNTS if any(key in values for values in chosen.values())]
    noted = any(values.get("notes") for values in chosen.values())
    header = ("task", *(_COUNTS[key] for key in counts), *map(metric_label, metrics))
    rows = tuple(
        (
            name or "all",
            *(_count(values.get(key)) for key in counts),
            *(number(values[key]) for key in metrics),
            *([_notes(values.get("notes") or ())] if noted else []),
        )
        for name, values in chosen.items()
    )
    kinds = {run.kind(name) for name in names} - {None}
    # What the metrics file holds beside the tasks, as the mean over them, has no count.
    what = ", ".join(sorted(map(str, kinds))) if counts else "over all tasks"
    caption = f"Test metrics: {what}" if what else "Test metrics"
    if noted:
        return Table(caption, (*header, "notes"), rows, wide=(len(header),))
    return Table(caption, header, rows)


def _notes(notes: Sequence[str]) -> str:
    """Join notes; each begins with the metric it is about."""
    parts = [str(note).partition(" ") for note in notes]
    return "; ".join(f"{metric_label(first)}{space}{rest}" for first, space, rest in parts)


def _count(value: Any) -> str:
    return f"{int(value):,}" if isinstance(value, int | float) else ABSENT
