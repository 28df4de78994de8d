"""The results of a cross-validation as JSON and Markdown."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.functional.aggregation import Pooling, levels_from
from mammography.functional.metrics import Metrics, class_metrics, regression_metrics
from mammography.reports.blocks import Table
from mammography.reports.cases import pool_cases
from mammography.reports.cross_validation.measures import (
    AREAS,
    INTERVALS,
    CrossValidated,
    Measured,
    measure_folds,
)
from mammography.reports.page import write_page
from mammography.reports.task_scores import scores_of
from mammography.reports.text_tables import to_markdown
from mammography.reports.wording import metric_label, number, with_interval
from mammography.structures.folds import Folds
from mammography.structures.prediction import Dump, row_level
from mammography.terms import Level, TaskKind

LEVELS = (Level.IMAGE, Level.BREAST, Level.EXAM, Level.PATIENT)


@dataclass(frozen=True, eq=False)
class ModelScore:
    """One model of a cross-validation.

    Attributes:
        folder: Of its run.
        outer: Fold that it was tested on.
        inner: Fold that it was selected on.
        checkpoint: What was selected.
        val: What it says of the patients it was selected on.
        test: What it says of the patients it was tested on.
    """

    folder: str
    outer: int
    inner: int
    checkpoint: str
    val: Dump
    test: Dump


def write_results(
    folder: Path,
    merged: Dump,
    folds: Folds,
    models: Sequence[ModelScore],
    pooling: Pooling = "mean",
) -> None:
    """Write ``metrics.json`` and ``results.md``.

    Args:
        folder: Where.
        merged: Out-of-fold predictions.
        folds: Of the patients.
        models: That predicted.
        pooling: How the scores of the images of a case become one.
    """
    tasks = {
        name: _levels(merged, name, folds, pooling)
        for name, task in merged.tasks.items()
        if task.kind is TaskKind.BINARY
    }
    others = {name: _other(merged, name) for name in merged.tasks if name not in tasks}
    singles = [_single(model, folds.task) for model in models]
    outer, inner = folds.shape
    content = {
        "info": {name: value for name, value in merged.info.items() if name != "folds"},
        "outer": outer,
        "inner": inner,
        "seed": folds.seed,
        "pooling": pooling,
        "tasks": {
            name: {level: _plain_level(found) for level, found in levels.items()}
            for name, levels in tasks.items()
        }
        | {name: {row_level(merged.info): metrics.values} for name, metrics in others.items()},
        "models": singles,
    }
    write_json(folder / "metrics.json", content)
    write_page(folder / "results.md", _markdown(merged, folds, tasks, others, singles, pooling))


def _levels(
    merged: Dump, task: str, folds: Folds, pooling: Pooling
) -> dict[Level, CrossValidated | str]:
    """Measure a binary task on every level, or say why a level cannot be measured."""
    found: dict[Level, CrossValidated | str] = {}
    for level in LEVELS:
        try:
            cases = pool_cases(merged, "predictions.json", task, level, pooling)
        except ValueError as error:
            found[level] = str(error)
        else:
            found[level] = measure_folds(cases, folds.outer)
    return found


def _other(merged: Dump, name: str) -> Metrics:
    scores = scores_of(merged, name)
    if merged.tasks[name].kind is TaskKind.REGRESSION:
        return regression_metrics(scores.labels, scores.scores)
    ordered = merged.tasks[name].kind is TaskKind.ORDINAL
    return class_metrics(scores.labels, scores.scores, ordered=ordered)


def _single(model: ModelScore, task: str) -> dict[str, Any]:
    areas = {
        f"{split}_roc_auc": scores_of(dump, task).roc_auc
        for split, dump in (("val", model.val), ("test", model.test))
    }
    return {
        "model": model.folder,
        "outer": model.outer,
        "inner": model.inner,
        "checkpoint": model.checkpoint,
        **areas,
    }


def _plain_level(found: CrossValidated | str) -> dict[str, Any]:
    return {"note": found} if isinstance(found, str) else plain_cross_validated(found)


def plain_cross_validated(found: CrossValidated) -> dict[str, Any]:
    """Return areas over all folds and of each, with their intervals, as plain values."""
    summary = {
        area: {"mean": found.mean(area), "standard_deviation": found.spread(area)} for area in AREAS
    }
    folds = [_plain_measured(fold) for fold in found.folds]
    return {"pooled": _plain_measured(found.pooled), "over_folds": summary, "folds": folds}


def _plain_measured(found: Measured) -> dict[str, Any]:
    counts = {"n": found.n, "positives": found.positives, "patients": found.patients}
    intervals = {f"{name}_interval": list(ends) for name, ends in found.intervals.items()}
    return counts | dict(found.areas) | intervals


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write numbers as JSON, whole or not at all; what is not defined is null."""
    write_page(path, json.dumps(_finite(content), indent=1, allow_nan=False) + "\n")


def _finite(node: Any) -> Any:
    """Replace what is not a number by null."""
    if isinstance(node, Mapping):
        return {str(name): _finite(value) for name, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(item) for item in node]
    return None if isinstance(node, float) and not math.isfinite(node) else node


def _markdown(
    merged: Dump,
    folds: Folds,
    tasks: Mapping[str, Mapping[Level, CrossValidated | str]],
    others: Mapping[str, Metrics],
    singles: Sequence[Mapping[str, Any]],
    pooling: Pooling,
) -> str:
    outer, inner = folds.shape
    rows = row_level(merged.info)
    parts = [
        f"# Cross-validation of {merged.info.get('config', '')}",
        f"{len(folds.outer)} patients, {outer} outer folds stratified by {folds.task} (seed "
        f"{folds.seed}), {inner} model(s) for each. A model is trained without its outer fold and "
        "without its inner fold, its checkpoint is selected on the inner fold "
        f"({merged.info.get('select')}), and the outer fold is predicted by the mean "
        f"probability of its models. {_pooling_in_words(rows, pooling)}{INTERVALS} They say how "
        "the patients could have been others, not how trainings vary.",
        *(to_markdown(_level_table(name, levels)) for name, levels in tasks.items()),
        *(to_markdown(_fold_table(name, levels)) for name, levels in tasks.items()),
        *(to_markdown(_other_table(name, metrics, rows)) for name, metrics in others.items()),
        to_markdown(_model_table(folds.task, singles, rows)),
    ]
    return "\n\n".join(parts) + "\n"


def _pooling_in_words(rows: Level, pooling: Pooling) -> str:
    """Say what the rows are, and how their scores become those of larger cases."""
    words = []
    if rows is not Level.IMAGE:
        words.append(f"Each {rows} was scored as a whole, from all its views.")
    if above := [str(level) for level in levels_from(rows) if level is not rows]:
        larger = " or ".join(filter(None, (", ".join(above[:-1]), above[-1])))
        words.append(
            f"Scores of {rows}s are pooled by {pooling} over the {larger}; a case is positive if "
            f"one of its {rows}s is."
        )
    return "".join(f"{text} " for text in words)


def _level_table(task: str, levels: Mapping[Level, CrossValidated | str]) -> Table:
    areas = [f"{metric_label(area)}, {what}" for area in AREAS for what in ("all", "folds")]
    header = ("level", "n", "positive", "patients", *areas)
    rows = []
    for level, found in levels.items():
        if isinstance(found, str):
            rows.append((str(level), *[found], *[""] * (len(header) - 2)))
            continue
        texts = []
        for area in AREAS:
            texts.append(with_interval(found.pooled.areas[area], found.pooled.intervals.get(area)))
            texts.append(f"{number(found.mean(area))} ± {number(found.spread(area))}")
        rows.append((str(level), *_counts(found.pooled), *texts))
    return Table(f"{task}: over all patients, and mean over folds", header, tuple(rows))


def _fold_table(task: str, levels: Mapping[Level, CrossValidated | str]) -> Table:
    header = ("level", "outer fold", "n", "positive", "patients", *map(metric_label, AREAS))
    rows = [
        (
            *(str(level), str(number_), *_counts(fold)),
            *(with_interval(fold.areas[area], fold.intervals.get(area)) for area in AREAS),
        )
        for level, found in levels.items()
        if not isinstance(found, str)
        for number_, fold in enumerate(found.folds)
    ]
    return Table(f"{task}: fold by fold", header, tuple(rows))


def _counts(found: Measured) -> tuple[str, str, str]:
    return f"{found.n:,}", f"{found.positives:,}", f"{found.patients:,}"


def _other_table(task: str, metrics: Metrics, rows: Level) -> Table:
    values = tuple((metric_label(name), number(value)) for name, value in metrics.values.items())
    return Table(f"{task}: {rows}s of all patients", ("metric", "value"), values)


def _model_table(task: str, singles: Sequence[Mapping[str, Any]], rows: Level) -> Table:
    header = ("model", "checkpoint", "ROC-AUC, selected on", "ROC-AUC, tested on")
    values = tuple(
        (
            str(one["model"]).removeprefix("models/"),
            str(one["checkpoint"]),
            number(one["val_roc_auc"]),
            number(one["test_roc_auc"]),
        )
        for one in singles
    )
    return Table(f"{task}: {rows}s, model by model", header, values)
