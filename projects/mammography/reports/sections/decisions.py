"""What the scores are worth as decisions: at the threshold of the validation, in subgroups."""

from collections.abc import Mapping
from typing import Any

from mammography.reports.blocks import Table, Text
from mammography.reports.run_folder import Run
from mammography.reports.wording import ABSENT, metric_label, number

# What ScreeningMetric measures over cases; the other metrics are over images.
OF_CASES = ("pf1", "threshold", "sensitivity", "specificity", "ppv", "recall_rate")
_AREAS = ("roc_auc", "average_precision")
_FEW = 10
_EXPLANATION = (
    "The threshold was chosen on the validation and carried by the checkpoint; the test changed "
    "nothing about it. Called back: the share of all cases at or above it. Subgroups share the "
    "threshold of all; differences between them are not tested, and machine, site and prevalence "
    f"go together. Fewer than {_FEW} positives say little."
)


def decision_blocks(run: Run) -> tuple[Table | Text, ...]:
    """Tabulate decisions of all tasks, then each task by subgroup; nothing if none were made."""
    tasks = {name: v for name, v in (run.metrics or {}).items() if "pf1" in v}
    if not tasks:
        return ()
    groups = tuple(
        _by_subgroup(name, field, parts)
        for name, values in tasks.items()
        for field, parts in (values.get("subgroups") or {}).items()
    )
    explained = any(values.get("operating_point") for values in tasks.values()) or groups
    return (_of_all(tasks), *groups, *([Text(_EXPLANATION)] if explained else []))


def _of_all(tasks: Mapping[str, Mapping[str, Any]]) -> Table:
    header = ("task", "case", *map(metric_label, OF_CASES), "chosen by")
    rows = []
    for name, values in tasks.items():
        point = values.get("operating_point") or {}
        case = f"{point['level']}, {point['pooling']} of its images" if point else ABSENT
        told = (number(values[key]) if key in values else ABSENT for key in OF_CASES)
        rows.append((name, case, *told, _rule(point.get("chosen") or {})))
    return Table("Decisions at the threshold of the validation", header, tuple(rows), wide=(1,))


def _rule(chosen: Mapping[str, Any]) -> str:
    """Say how a threshold was chosen: ``sensitivity_at_specificity at_least=0.9, epoch 3``."""
    if not chosen:
        return ABSENT
    options = ("at_least", "cost_ratio", "prevalence", "beta")
    said = [str(chosen.get("rule", "")), *(f"{k}={chosen[k]:g}" for k in options if k in chosen)]
    return " ".join(said) + (f", epoch {chosen['epoch']}" if "epoch" in chosen else "")


def _by_subgroup(name: str, field: str, parts: Mapping[str, Mapping[str, Any]]) -> Table:
    keys = [key for key in (*_AREAS, *OF_CASES) if any(key in part for part in parts.values())]
    rows = tuple(
        (
            value,
            *(f"{part[key]:,}" for key in ("n", "n_positive")),
            *(number(part[k]) for k in keys),
        )
        for value, part in parts.items()
    )
    return Table(f"{name} by {field}", (field, "n", "positive", *map(metric_label, keys)), rows)
