"""Tested images that say most about a model: its surest hits and its worst errors."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mammography.reports.blocks import Block, Gallery, Part, Picture, Section, Text
from mammography.reports.pictures import BOXES, annotated_picture
from mammography.reports.remedies import missing_pictures, missing_predictions
from mammography.reports.run_folder import Run
from mammography.reports.task_scores import TaskScores
from mammography.reports.thumbnails import STRETCH
from mammography.structures.prediction import PredictionRecord
from mammography.terms import TaskKind

PER_GROUP = 6
MAX_TASKS = 3


def examples_section(run: Run) -> Section:
    """Show images of the binary tasks, chosen by label and score."""
    title = "Sample images"
    if run.dump is None:
        return Section("examples", title, (missing_predictions(run),))
    chosen = {
        name: scores
        for name, scores in run.scores.items()
        if scores.task.kind is TaskKind.BINARY and len(scores.labels)
    }
    if not chosen:
        return Section("examples", title, (Text("No binary task to choose images by."),))
    shown = list(chosen)[:MAX_TASKS]
    parts = [Part(name, tuple(_galleries(run, chosen[name]))) for name in shown]
    blocks: list[Block] = [Text(f"{STRETCH} {BOXES}")]
    if not all(picture.data_uri for part in parts for picture in _pictures(part)):
        blocks.append(missing_pictures())
    blocks += parts
    if len(chosen) > MAX_TASKS:
        blocks.append(Text(f"Not shown: images of {', '.join(list(chosen)[MAX_TASKS:])}."))
    return Section("examples", title, tuple(blocks))


def _pictures(part: Part) -> Iterator[Picture]:
    for block in part.blocks:
        yield from block.pictures if isinstance(block, Gallery) else ()


def _file(run: Run, record: PredictionRecord) -> Path:
    return (run.data_root or Path()) / record.img_path


def _galleries(run: Run, scores: TaskScores) -> list[Gallery]:
    """Choose the images; ties keep the order of the data set."""
    positive, negative = (np.flatnonzero(scores.labels == label) for label in (1, 0))
    rising = positive[np.argsort(scores.scores[positive], kind="stable")]
    alarms = negative[np.argsort(-scores.scores[negative], kind="stable")][:PER_GROUP]
    missed = rising[: min(PER_GROUP, len(rising) // 2)]
    found = rising[len(missed) :][::-1][:PER_GROUP]
    groups = (
        ("Positives with the highest scores", found),
        ("Negatives with the highest scores", alarms),
        ("Positives with the lowest scores", missed),
    )
    return [
        Gallery(
            f"{title} ({len(chosen)} of {len(negative if chosen is alarms else positive):,})",
            tuple(_picture(run, scores, int(index)) for index in chosen),
        )
        for title, chosen in groups
        if len(chosen)
    ]


def _picture(run: Run, scores: TaskScores, index: int) -> Picture:
    record, score = scores.records[index], float(scores.scores[index])
    annotation = run.images.get(record.image_id or "") or run.images.get(record.img_path)
    name = record.image_id or Path(record.img_path).stem
    view = " ".join(str(part) for part in (record.laterality, record.view_position) if part)
    lines = (f"score {score:.3f}", " · ".join(part for part in (view, name) if part))
    title = f"{view} {name}, score {score:.3f}"
    return annotated_picture(_file(run, record), title, lines, annotation)
