"""The folder of a run, ``work_dirs/<config name>``, read as far as it goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.reports.task_scores import TaskScores, scores_of
from mammography.reports.training_log import TrainingLog, read_training_log
from mammography.structures.annotation import ImageRecord, read_annotations
from mammography.structures.prediction import Dump, read_dump
from mammography.terms import TaskKind


@dataclass(frozen=True)
class Run:
    """What a run left behind; what is absent is empty or ``None``.

    Attributes:
        name: Name of the config.
        log: Numbers of the training.
        config: Text of the dumped config.
        metrics: Task to metric to value, of the test.
        info: Where the test results come from: config, checkpoint, versions, data.
        dump: Predictions of the test.
        scores: Task to its labels and scores, where the predictions can be used.
        checkpoints: Names of the weight files in the folder.
        images: Annotation of the tested images by ``image_id`` and by ``img_path``.
        data_root: Folder that the ``img_path`` are relative to.
        complaints: Files that are there but could not be read, and why.
    """

    name: str
    log: TrainingLog = field(default_factory=TrainingLog)
    config: str | None = None
    metrics: Mapping[str, Mapping[str, Any]] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    dump: Dump | None = None
    scores: Mapping[str, TaskScores] = field(default_factory=dict)
    checkpoints: tuple[str, ...] = ()
    images: Mapping[str, ImageRecord] = field(default_factory=dict)
    data_root: Path | None = None
    complaints: tuple[str, ...] = ()

    def kind(self, task: str) -> TaskKind | None:
        """Kind of a task, when the predictions say so."""
        return self.dump.tasks[task].kind if self.dump and task in self.dump.tasks else None


def read_run(run_dir: Path, data_root: Path | None = None) -> Run:
    """Read a run; an absent or broken part never hides the others.

    Args:
        run_dir: ``work_dirs/<config name>``.
        data_root: Folder of the data set, when it has moved since the test.

    Raises:
        FileNotFoundError: If ``run_dir`` is not a folder.
    """
    if not run_dir.is_dir():
        raise FileNotFoundError(
            f"{run_dir} is not a folder: give the one of a run, work_dirs/<config name>"
        )
    run_dir = run_dir.resolve()
    complaints: list[str] = []
    metrics = _read_metrics(run_dir / "test" / "metrics.json", complaints)
    dump = _read_predictions(run_dir / "test" / "predictions.json", complaints)
    info = {**metrics["info"], **(dump.info if dump else {})}
    named = data_root or info.get("data_root")
    root = Path(str(named)) if named else None
    return Run(
        name=run_dir.name,
        log=read_training_log(run_dir),
        config=_read_config(run_dir),
        metrics=metrics["tasks"],
        info=info,
        dump=dump,
        scores=_collect_scores(dump, complaints),
        checkpoints=tuple(sorted(path.name for path in run_dir.glob("*.pth"))),
        images=_read_images(info.get("ann_file"), root, complaints),
        data_root=root,
        complaints=tuple(complaints),
    )


def _read_config(run_dir: Path) -> str | None:
    """Read the config of the last start, else the one beside the starts."""
    dumped = sorted(run_dir.glob("*/vis_data/config.py"))
    beside = run_dir / f"{run_dir.name}.py"
    path = dumped[-1] if dumped else beside
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def _read_metrics(path: Path, complaints: list[str]) -> dict[str, Any]:
    nothing: dict[str, Any] = {"tasks": None, "info": {}}
    if not path.is_file():
        return nothing
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tasks = {str(name): dict(values) for name, values in content["tasks"].items()}
        info = dict(content.get("info") or {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        complaints.append(f"test/metrics.json could not be read: {_because(error)}")
        return nothing
    return {"tasks": tasks, "info": info}


def _read_predictions(path: Path, complaints: list[str]) -> Dump | None:
    if not path.is_file():
        return None
    try:
        return read_dump(path)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        complaints.append(f"test/predictions.json could not be read: {_because(error)}")
        return None


def _collect_scores(dump: Dump | None, complaints: list[str]) -> dict[str, TaskScores]:
    if dump is None:
        return {}
    scores = {}
    for name in dump.tasks:
        try:
            scores[name] = scores_of(dump, name)
        except ValueError as error:
            complaints.append(f"{name}: the predictions cannot be used: {error}")
    return scores


def _read_images(
    ann_file: Any, data_root: Path | None, complaints: list[str]
) -> dict[str, ImageRecord]:
    """Index the annotation by both names of an image."""
    if not ann_file:
        return {}
    path = Path(str(ann_file))
    if not path.is_file() and data_root:
        path = data_root / path
    try:
        records = read_annotations(path).records
    except (ValueError, OSError) as error:
        complaints.append(f"the annotation file could not be read, no box is drawn: {error}")
        return {}
    by_path = {record.img_path: record for record in records}
    return by_path | {record.image_id: record for record in records if record.image_id}


def _because(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
