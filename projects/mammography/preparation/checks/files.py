"""The annotation files of a prepared source: readable, and of one mind."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mammography.preparation.checks.problem import Problem
from mammography.preparation.counts import count_records
from mammography.structures.annotation import (
    AnnotationError,
    Annotations,
    ImageRecord,
    read_annotations,
)
from mammography.structures.task import Task, TaskError
from mammography.terms import Split

ALL = "all"
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, OSError)  # What odd JSON leads to.


def read_files(root: Path) -> tuple[dict[str, Annotations], list[Problem]]:
    """Read ``all.json`` and the file of every split, and all rows of them that can be.

    A row that cannot be read is left out, and so is a label that its task cannot take.
    """
    files, problems = {}, []
    for name in (ALL, *Split):
        path = root / "annotations" / f"{name}.json"
        if not path.exists() and name != ALL:
            continue
        annotations, found = read_rows(path)
        problems += found
        if annotations is not None:
            files[str(name)] = annotations
    return files, problems


def read_rows(path: Path) -> tuple[Annotations | None, list[Problem]]:
    """Read an annotation file as the training does; where that fails, row by row."""
    try:
        return read_annotations(path), []
    except AnnotationError as error:
        reason = str(error).removeprefix(f"{path.name}: ").removeprefix(f"{path} ")
    except _BROKEN as error:
        reason = f"must be an annotation file ({type(error).__name__})"
    whole = [Problem("annotations", path.name, reason)]
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        rows, specs = list(content["data_list"]), content["metainfo"]["task_specs"]
        tasks = {name: Task.from_json(name, spec) for name, spec in specs.items()}
    except _BROKEN:
        return None, whole
    records, problems = [], []
    for i, row in enumerate(rows):
        record, found = _read_row(f"data_list[{i}]", row, tasks)
        records += [record] if record else []
        problems += [Problem("annotations", path.name, what) for what in found]
    return Annotations(tasks, tuple(records)), problems or whole


def _read_row(
    where: str, row: dict[str, Any], tasks: Mapping[str, Task]
) -> tuple[ImageRecord | None, list[str]]:
    try:
        record = ImageRecord.from_json(row, where)
    except AnnotationError as error:
        return None, [str(error)]
    except _BROKEN as error:
        return None, [f"{where}: must be the fields of an image ({type(error).__name__})"]
    labels, problems = {}, []
    for name, label in record.gt_label.items():
        try:
            labels[name] = tasks[name].check(label)
        except TaskError as error:
            problems.append(f"{where}: {error}")
        except KeyError:
            problems.append(f"{where}: task {name} is not in metainfo")
    return replace(record, gt_label=labels), problems


def repeated(files: Mapping[str, Annotations]) -> list[Problem]:
    """Find images and PNG files that one file lists twice, and images without a name."""
    problems = []
    for name, annotations in files.items():
        for field in ("image_id", "img_path"):
            values = [getattr(record, field) for record in annotations.records]
            problems += [
                Problem("identifiers", f"{name}.json", f"{field} {value} is listed {count} times")
                for value, count in Counter(values).items()
                if count > 1 and value is not None
            ]
        for i, record in enumerate(annotations.records):
            if record.image_id is None:
                where = f"{name}.json: data_list[{i}]"
                problems.append(Problem("identifiers", where, "image_id is missing"))
    return problems


def differing(files: Mapping[str, Annotations]) -> list[Problem]:
    """Find where the splits together are not what ``all.json`` says."""
    if ALL not in files:
        return []
    whole = files[ALL]
    expected = {record.image_id: record for record in whole.records}
    problems, seen = [], set()
    for name in [split.value for split in Split if split in files]:
        file, part = f"{name}.json", files[name]
        if (part.tasks, part.level) != (whole.tasks, whole.level):
            problems.append(Problem("splits", file, "tasks or level are not those of all.json"))
        for record in part.records:
            fault = _fault(record, expected.get(record.image_id), name)
            if fault:
                problems.append(Problem("splits", file, f"image {record.image_id} {fault}"))
        seen |= {record.image_id for record in part.records}
    return problems + [
        Problem("splits", "all.json", f"image {image_id} is in the file of no split")
        for image_id in expected
        if image_id not in seen
    ]


def _fault(record: ImageRecord, expected: ImageRecord | None, split: str) -> str | None:
    if expected is None:
        return "is not in all.json"
    if record.split != split:
        return f"says that its split is {record.split}"
    # As text: a value that is not a number differs from itself.
    same = json.dumps(record.to_json()) == json.dumps(expected.to_json())
    return None if same else "is described otherwise in all.json"


def unfinished(root: Path, whole: Annotations) -> list[Problem]:
    """Find whether the preparation came to its end, and whether its counts still hold."""
    try:
        content = json.loads((root / "prepared.json").read_text(encoding="utf-8"))
        noted = content["prepared"]
    except FileNotFoundError:
        return [Problem("account", "prepared.json", "is missing: the preparation did not end")]
    except _BROKEN as error:
        return [Problem("account", "prepared.json", f"cannot be read ({type(error).__name__})")]
    counted = json.loads(json.dumps(count_records(whole.records, whole.tasks)))
    differ = [name for name, value in counted.items() if noted.get(name) != value]
    if not differ:
        return []
    what = f"counts differ from all.json: {', '.join(differ)}"
    return [Problem("account", "prepared.json", what)]
