"""How well the model did between the epochs."""

from collections import defaultdict

import numpy as np

from mammography.reports.blocks import Chart, Row, Section, Table, chart
from mammography.reports.figures.curves import draw_curves
from mammography.reports.remedies import missing_validation
from mammography.reports.run_folder import Run
from mammography.reports.training_log import TrainingLog
from mammography.reports.wording import (
    BETWEEN_0_AND_1,
    LOWER_IS_BETTER,
    metric_label,
    metric_order,
    number,
)

_NOT_METRICS = frozenset({"step", "time", "data_time"})


def validation_section(run: Run) -> Section:
    """Draw each validation metric, one line per task, and list best and last values."""
    keys = list(dict.fromkeys(key for row in run.log.val for key in row if key not in _NOT_METRICS))
    if not keys:
        return Section("validation", "Validation", (missing_validation(),))
    by_metric: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_metric[key.rpartition("/")[2]].append(key)
    charts = tuple(
        _chart(run.log, metric, by_metric[metric]) for metric in metric_order(list(by_metric))
    )
    return Section("validation", "Validation", (Row(charts), _table(run.log, keys)))


def _chart(log: TrainingLog, metric: str, keys: list[str]) -> Chart:
    label, unit = metric_label(metric), "epoch" if log.by_epoch else "iteration"
    curves = {key.rpartition("/")[0] or key: log.val_curve(key) for key in keys}
    last = ", ".join(f"{name} {number(y[-1])}" for name, (_, y) in curves.items())
    n = max(len(y) for _, y in curves.values())
    return chart(
        draw_curves(curves, f"{unit} of the training", label, unit_range=metric in BETWEEN_0_AND_1),
        f"Validation: {label}",
        f"{label} on the validation set over the {unit}s; last values: {last}.",
        f"n = {n} validations; last: {last}.",
    )


def _table(log: TrainingLog, keys: list[str]) -> Table:
    unit = "epoch" if log.by_epoch else "iteration"
    rows = tuple(_row(log, key) for key in keys)
    header = ("metric", "best", f"at {unit}", "last", f"at {unit}")
    return Table("Best and last validation", header, rows)


def _row(log: TrainingLog, key: str) -> tuple[str, ...]:
    steps, values = log.val_curve(key)
    task, _, metric = key.rpartition("/")
    name = f"{task}: {metric_label(metric)}" if task else metric_label(metric)
    last = (number(values[-1]), f"{steps[-1]:.0f}")
    finite = [
        (value, step) for value, step in zip(values, steps, strict=True) if np.isfinite(value)
    ]
    if not finite:
        return (name, number(None), "", *last)
    # Of equal values the earliest: min and max keep the first.
    choose = min if metric in LOWER_IS_BETTER else max
    best, step = choose(finite, key=lambda pair: pair[0])
    return (name, number(best), f"{step:.0f}", *last)
