"""At which score a case is recalled, and who chose it on what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.functional.operating_points import youden
from mammography.reports.cases import Cases
from mammography.reports.evidence.options import EvidenceOptions

# What a test writes beside its predictions, with the threshold that the checkpoint carried.
METRICS_FILE = "metrics.json"


@dataclass(frozen=True)
class Threshold:
    """A threshold: cases with at least this score are recalled.

    Attributes:
        value: The score.
        origin: Where it comes from, in words that end a sentence.
        optimistic: Whether it was chosen on the cases that it is judged on.
    """

    value: float
    origin: str
    optimistic: bool = False


def choose_threshold(
    path: Path, cases: Cases, task: str, options: EvidenceOptions, position: int = 0
) -> Threshold:
    """Return the threshold that was given, else the one carried from validation, else the best.

    A threshold is carried by ``operating_points`` of the dump, or by the ``metrics.json`` that the
    test wrote beside it; one that was chosen for another level or pooling does not count.

    Args:
        path: The dump.
        cases: Of the model.
        task: Name of the task.
        options: May hold thresholds.
        position: Of the model among the dumps.
    """
    if options.thresholds:
        given = options.thresholds[position if len(options.thresholds) > 1 else 0]
        return Threshold(given, "given by the user")
    point = _carried(path, cases.info, task)
    if point and _suits(point, options):
        return Threshold(float(point["threshold"]), _origin(point))
    why = ""
    if point:
        why = f"; the one carried is for {point.get('level')}, {point.get('pooling')}"
    return Threshold(
        youden(cases.labels, cases.scores).threshold,
        f"highest sensitivity + specificity (Youden) on these same cases, so optimistic{why}",
        optimistic=True,
    )


def _carried(path: Path, info: Mapping[str, Any], task: str) -> dict[str, Any] | None:
    """Find the operating point of a task in the dump, or in the metrics of the same test."""
    points = info.get("operating_points")
    found = points.get(task) if isinstance(points, Mapping) else None
    beside = path.with_name(METRICS_FILE)
    if found is None and path.stem == "predictions" and beside.is_file():
        try:
            tasks = json.loads(beside.read_text(encoding="utf-8"))["tasks"]
            found = tasks[task].get("operating_point")
        except (ValueError, KeyError, TypeError, AttributeError):
            found = None
    usable = isinstance(found, Mapping) and isinstance(found.get("threshold"), int | float)
    return {**found, **(found.get("chosen") or {})} if found and usable else None


def _suits(point: Mapping[str, Any], options: EvidenceOptions) -> bool:
    return (point.get("level", options.level), point.get("pooling", options.pooling)) == (
        options.level,
        options.pooling,
    )


def _origin(point: Mapping[str, Any]) -> str:
    """Say by which rule and after which epoch a threshold was chosen."""
    rule = str(point.get("rule") or "").replace("_", " ")
    least = f" of at least {point['at_least']}" if "at_least" in point else ""
    epoch = f" after epoch {point['epoch']}" if "epoch" in point else ""
    by = f" by {rule}{least}" if rule else ""
    return f"carried from the validation{epoch}{by}"
