"""What the scores of each task look like."""

import numpy as np
from sklearn.metrics import average_precision_score, confusion_matrix, mean_absolute_error

from mammography.reports.blocks import Block, Chart, Part, Row, Section, Text, Tone, chart
from mammography.reports.figures.classification import (
    draw_confusion,
    draw_precision_recall,
    draw_roc,
    draw_score_histogram,
)
from mammography.reports.figures.regression import draw_predicted_over_observed
from mammography.reports.remedies import missing_predictions
from mammography.reports.run_folder import Run
from mammography.reports.task_scores import TaskScores
from mammography.reports.wording import counted, number
from mammography.structures.task import Task
from mammography.terms import TaskKind


def tasks_section(run: Run) -> Section:
    """Draw the figures that suit the kind of each task."""
    title = "Scores of each task"
    if run.dump is None:
        return Section("tasks", title, (missing_predictions(run),))
    parts = [_task(run, name, task) for name, task in run.dump.tasks.items()]
    wide = [part for part in parts if _width(part) > 1]
    narrow = [part for part in parts if part not in wide]
    return Section("tasks", title, (*wide, *([Row(tuple(narrow))] if narrow else ())))


def _width(part: Part) -> int:
    """Number of charts side by side."""
    return max((len(block.blocks) for block in part.blocks if isinstance(block, Row)), default=0)


def _task(run: Run, name: str, task: Task) -> Part:
    title, scores = f"{name} ({task.kind})", run.scores.get(name)
    if scores is None:
        text = "The predictions cannot be used; the summary says why."
        return Part(title, (Text(text, Tone.MISSING),))
    if not len(scores.labels):
        return Part(title, (Text("No tested image has a label and a score.", Tone.MISSING),))
    if scores.task.kind is TaskKind.BINARY:
        return Part(title, _binary(scores))
    if scores.task.kind is TaskKind.REGRESSION:
        return Part(title, (_regression(scores),))
    return Part(title, (_confusion(scores),))


def _binary(scores: TaskScores) -> tuple[Block, ...]:
    name, labels, values = scores.task.name, scores.labels, scores.scores
    n = f"n = {counted(len(labels), 'image')}, {scores.n_positive:,} positive"
    histogram = chart(
        draw_score_histogram(labels, values, scores.task.classes),
        f"Scores: {name}",
        f"Histograms of the score of {name} for each class; median of the positives "
        f"{_median(values[labels == 1])}, of the negatives {_median(values[labels == 0])}.",
        f"{n}. Each class has its own vertical scale.",
    )
    auc = scores.roc_auc
    if auc is None:
        one = scores.task.classes[int(scores.labels[0])]
        text = (
            f"ROC and precision-recall curve are not defined: only class {one} "
            f"(n = {counted(len(labels), 'image')})."
        )
        return Text(text, Tone.MISSING), histogram
    precision = float(average_precision_score(labels, values))
    prevalence = float(labels.mean())
    roc = chart(
        draw_roc(labels, values),
        f"ROC: {name}",
        f"Receiver operating characteristic of {name}: area under the curve {auc:.4f}.",
        f"ROC-AUC = {auc:.4f}; {n}.",
    )
    recall = chart(
        draw_precision_recall(labels, values),
        f"Precision-recall: {name}",
        f"Precision over recall of {name}: average precision {precision:.4f}, "
        f"prevalence {prevalence:.4f}.",
        f"Average precision = {precision:.4f}; {n}; a score without information reaches the "
        f"prevalence {prevalence:.4f}.",
    )
    return (Row((roc, recall, histogram)),)


def _confusion(scores: TaskScores) -> Chart:
    classes = scores.task.classes
    observed, predicted = scores.labels.astype(int), scores.scores.argmax(axis=1)
    counts = confusion_matrix(observed, predicted, labels=range(len(classes)))
    right = int(np.trace(counts))
    cells = "; ".join(
        f"{name}: {int(counts[i, i]):,} of {int(counts[i].sum()):,}"
        for i, name in enumerate(classes)
    )
    return chart(
        draw_confusion(counts, classes),
        f"Confusion: {scores.task.name}",
        f"Confusion matrix of {scores.task.name}. Right per observed class: {cells}.",
        f"n = {counted(len(observed), 'image')}, {right:,} right "
        f"({right / len(observed):.1%}). Numbers are images.",
    )


def _regression(scores: TaskScores) -> Chart:
    name, error = scores.task.name, mean_absolute_error(scores.labels, scores.scores)
    return chart(
        draw_predicted_over_observed(scores.labels, scores.scores, f"{name} (unit of the label)"),
        f"Predicted and observed: {name}",
        f"Predicted over observed {name}; mean absolute error {number(float(error))}.",
        f"n = {counted(len(scores.labels), 'image')}; mean absolute error {number(float(error))}, "
        "in the unit of the label.",
    )


def _median(values: np.ndarray) -> str:
    return number(float(np.median(values))) if len(values) else "none"
