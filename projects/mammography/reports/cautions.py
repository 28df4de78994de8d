"""What a reader must know before believing a number of a run."""

from collections.abc import Iterator

from mammography.reports.run_folder import Run
from mammography.reports.task_scores import TaskScores
from mammography.reports.wording import counted
from mammography.structures.prediction import Dump, row_level
from mammography.terms import Level, Split, TaskKind

# Below this a test set shows that the chain runs, nothing else.
MIN_IMAGES = 30
# Below this in either class an AUC can hardly be told from chance.
MIN_PER_CLASS = 10
# Metrics of the same scores differ by rounding only.
TOLERANCE = 1e-3


def cautions(run: Run) -> tuple[str, ...]:
    """Collect the warnings of a run, the gravest first."""
    found = [*_about_size(run), *run.complaints]
    if run.dump:
        found += _about_rows(run.dump)
        found += [*_about_splits(run.dump), *_about_tasks(run, run.dump)]
    if run.log.unreadable:
        found.append(
            f"{counted(run.log.unreadable, 'line')} of the training log could not be read "
            "(a killed run leaves one)."
        )
    return tuple(found)


def _about_size(run: Run) -> Iterator[str]:
    sizes = [len(run.dump.records)] if run.dump else []
    for values in (run.metrics or {}).values():
        sizes += [int(values["n"])] if isinstance(values.get("n"), int | float) else []
    if sizes and max(sizes) < MIN_IMAGES:
        yield (
            f"n = {counted(max(sizes), 'image')}: measures nothing. The numbers below show that "
            "the chain runs from images to metrics; they say nothing about how well it works."
        )


def _about_rows(dump: Dump) -> Iterator[str]:
    if (rows := row_level(dump.info)) is not Level.IMAGE:
        yield (
            f"Each {rows} was scored as a whole, from all its views. Where this page says image, "
            f"it counts {rows}s; a picture is the first view of one, with the score of them all."
        )


def _about_splits(dump: Dump) -> Iterator[str]:
    seen = [record for record in dump.records if record.split == Split.TRAIN]
    if seen:
        yield (
            f"{len(seen):,} of {counted(len(dump.records), 'tested image')} belong to the training "
            "split: the results are flattered."
        )


def _about_tasks(run: Run, dump: Dump) -> Iterator[str]:
    for name, scores in run.scores.items():
        if scores.unscored:
            yield (
                f"{name}: {counted(scores.unscored, 'labelled image')} without a finite score "
                "left out of the figures."
            )
        if scores.task.kind is TaskKind.BINARY:
            yield from _about_classes(scores, len(dump.records))
        yield from _about_agreement(run, scores)


def _about_classes(scores: TaskScores, n_images: int) -> Iterator[str]:
    n, positive = len(scores.labels), scores.n_positive
    rare = min(positive, n - positive)
    if n_images >= MIN_IMAGES and 0 < rare < MIN_PER_CLASS:
        yield (
            f"{scores.task.name}: only {rare} images of one class "
            f"({positive} positive, {n - positive} negative): its metrics are anecdotes."
        )


def _about_agreement(run: Run, scores: TaskScores) -> Iterator[str]:
    told = (run.metrics or {}).get(scores.task.name, {})
    n, expected = len(scores.labels) + scores.unscored, told.get("n")
    if isinstance(expected, int | float) and int(expected) != n:
        yield (
            f"{scores.task.name}: test/metrics.json counts {int(expected)} images, "
            f"test/predictions.json {n}: they come from different tests. Run tools/test.py again."
        )
    told_auc, auc = told.get("roc_auc"), scores.roc_auc
    if auc is None or not isinstance(told_auc, int | float):
        return
    if abs(auc - told_auc) > TOLERANCE:
        yield (
            f"{scores.task.name}: test/metrics.json says ROC-AUC {told_auc:.3f}, "
            f"test/predictions.json gives {auc:.3f}: they come from different tests. "
            "Run tools/test.py again."
        )
