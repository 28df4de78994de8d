"""What a model said about one image, or one exam as a whole, and the files that hold it."""

import json
import os
import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mammography.structures.task import Task
from mammography.terms import Level


@dataclass(frozen=True)
class PredictionRecord:
    """One row of a dump.

    Attributes:
        img_path: File that was predicted, as the annotation names it; of an exam its first view.
        image_id: Pseudonym of the image; likewise ``patient_id`` and ``exam_id``.
        laterality: Side of the breast.
        view_position: Projection.
        split: Part of the study.
        gt_label: Task name to label; a task without a label is left out.
        pred_score: Task name to what the model said: the probability of class 1
            (binary), the probabilities of the classes (multiclass, ordinal), or the
            value (regression).
        pred_uncertainty: Task name to how unsure the model was: some of ``total``, the entropy
            of the score in nats, its parts ``aleatoric`` (what the data leave open) and
            ``epistemic`` (what sets of weights disagree on; only if there were several), and
            ``variance``: that of the logit, which was learned; of a regression that of the
            value over the weights.
        pred_set: Task name to the classes of the conformal prediction set, by index.
    """

    img_path: str
    image_id: str | None = None
    patient_id: str | None = None
    exam_id: str | None = None
    laterality: str | None = None
    view_position: str | None = None
    split: str | None = None
    gt_label: dict[str, float] = field(default_factory=dict)
    pred_score: dict[str, float | list[float]] = field(default_factory=dict)
    pred_uncertainty: dict[str, dict[str, float]] = field(default_factory=dict)
    pred_set: dict[str, list[int]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the plain form; what only some models say is left out where they do not."""
        row = asdict(self)
        optional = ("pred_uncertainty", "pred_set")
        return {name: value for name, value in row.items() if value or name not in optional}


@dataclass(frozen=True)
class Dump:
    """The predictions of one model on one data set.

    Attributes:
        tasks: Outcomes by name, in order.
        records: One per image, in the order of the data set; see :func:`row_level`.
        info: Where they come from: config, checkpoint, versions.
    """

    tasks: dict[str, Task]
    records: tuple[PredictionRecord, ...]
    info: dict[str, Any] = field(default_factory=dict)


def row_level(info: Mapping[str, Any]) -> Level:
    """Return what one row of a dump is of: an image, unless ``info`` says another ``level``.

    The rows of ``ExamDataset`` are breasts, exams or patients that were scored as a whole.

    Args:
        info: Of predictions or features.

    Raises:
        ValueError: If the level is none.

    Example:
        >>> str(row_level({})), str(row_level({"level": "exam"}))
        ('image', 'exam')
    """
    return Level(info.get("level", Level.IMAGE))


def write_dump(path: str | Path, dump: Dump) -> None:
    """Write predictions as JSON or pickle, by the suffix; whole or not at all.

    Both hold the same plain dictionary: ``metainfo`` and ``data_list``.

    Raises:
        ValueError: If the suffix is none of ``.json``, ``.pkl``, ``.pickle``.
    """
    path = Path(path)
    content = {
        "metainfo": {
            "tasks": list(dump.tasks),
            "task_specs": {name: task.to_json() for name, task in dump.tasks.items()},
            **dump.info,
        },
        "data_list": [record.to_json() for record in dump.records],
    }
    if path.suffix == ".json":
        data = (json.dumps(content, indent=1) + "\n").encode()
    elif path.suffix in (".pkl", ".pickle"):
        data = pickle.dumps(content)
    else:
        raise ValueError(f"{path}: a dump must end in .json, .pkl or .pickle, got {path.suffix!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def read_dump(path: str | Path) -> Dump:
    """Read predictions that :func:`write_dump` wrote as JSON or pickle.

    Pickles run code when they are read: take them from people you trust, or use JSON.

    Raises:
        ValueError: If the file does not hold predictions.
    """
    path = Path(path)
    data = path.read_bytes()
    content = json.loads(data) if path.suffix == ".json" else pickle.loads(data)  # noqa: S301
    if not isinstance(content, dict) or not {"metainfo", "data_list"} <= set(content):
        raise ValueError(f"{path} must hold metainfo and data_list")
    meta = dict(content["metainfo"])
    names, specs = meta.pop("tasks"), meta.pop("task_specs")
    tasks = {name: Task.from_json(name, specs[name]) for name in names}
    return Dump(tasks, tuple(PredictionRecord(**row) for row in content["data_list"]), meta)
