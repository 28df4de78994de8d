"""One prepared image and what is known about it: a row of an annotation file."""

import json
import os
from dataclasses import asdict, dataclass, field
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any

from mammography.structures.geometry import Box, ImageGeometry
from mammography.structures.task import Task, TaskError, read_tasks
from mammography.terms import ImageKind, Laterality, Level, Split, ViewModifier, ViewPosition


class AnnotationError(ValueError):
    """An annotation file or one of its rows does not say what it has to say."""


@dataclass(frozen=True)
class Finding:
    """A lesion outlined on one image, in pixels of that image.

    Attributes:
        box: Left, top, right, bottom.
        label: What it is, e.g. ``mass`` or ``calcification``.
        malignant: Whether it is cancer, when known.
        outline: Points ``(x, y)`` of a closed polygon, when known.
    """

    box: Box
    label: str
    malignant: bool | None = None
    outline: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class ImageRecord:
    """One view of one breast.

    A converter yields it with path, identifiers, pixel size and findings of the source; the
    preparation replaces them by those of the PNG and by pseudonyms.

    Attributes:
        img_path: File, relative to the data root, with forward slashes.
        patient_id: No split may share one.
        exam_id: One visit of the patient (DICOM study).
        image_id: This image.
        laterality: Side of the breast.
        view_position: Projection.
        view_modifiers: What changes the view, such as magnification.
        image_kind: How the image came about.
        manufacturer: Maker of the machine.
        split: Part of the study, when assigned.
        size_hw: Rows and columns of the PNG.
        pixel_spacing_mm: Size of a pixel of the PNG as (row, column), in millimetres.
        gt_label: Task name to label; a task without a label is left out.
        clinic_vars: Clinical variables, as the source gives them.
        findings: Outlined lesions, in pixels of the PNG.
        geometry: Where the PNG lies in its source.
    """

    img_path: str
    patient_id: str | None = None
    exam_id: str | None = None
    image_id: str | None = None
    laterality: Laterality | None = None
    view_position: ViewPosition | None = None
    view_modifiers: tuple[ViewModifier, ...] = ()
    image_kind: ImageKind | None = None
    manufacturer: str | None = None
    split: Split | None = None
    size_hw: tuple[int, int] | None = None
    pixel_spacing_mm: tuple[float, float] | None = None
    gt_label: dict[str, float] = field(default_factory=dict)
    clinic_vars: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    geometry: ImageGeometry | None = None

    @classmethod
    def from_json(cls, row: dict[str, Any], where: str) -> "ImageRecord":
        """Read one item of ``data_list``; only ``img_path`` is required.

        Args:
            row: The item as JSON gives it; unknown fields are an error.
            where: Place of the item, for the error: ``train.json: data_list[12]``.

        Raises:
            AnnotationError: If a field is missing, unknown or has no such value.
        """
        unknown = sorted(set(row) - set(cls.__dataclass_fields__))
        if unknown:
            raise AnnotationError(f"{where}: unknown field {', '.join(unknown)}")
        if not isinstance(row.get("img_path"), str):
            raise AnnotationError(f"{where}: img_path must be a path, got {row.get('img_path')!r}")
        values = {name: value for name, value in row.items() if value is not None}
        try:
            for name, read in _READERS.items():
                if name in values:
                    values[name] = read(values[name])
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise AnnotationError(f"{where}: {name}: {error}") from error
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """Return the plain form, without the fields that are not known."""
        row = {name: value for name, value in asdict(self).items() if value not in (None, {}, ())}
        return row | {"gt_label": self.gt_label}


def _pair(kind: type) -> Any:
    def read(value: Any) -> tuple[Any, Any]:
        first, second = value
        return kind(first), kind(second)

    return read


def _finding(value: dict[str, Any]) -> Finding:
    left, top, right, bottom = (float(end) for end in value["box"])
    outline = tuple((float(x), float(y)) for x, y in value.get("outline", ()))
    if not all(map(isfinite, (left, top, right, bottom, *chain(*outline)))):
        raise ValueError("box and outline must be finite numbers")
    label, malignant = value["label"], value.get("malignant")
    if not isinstance(label, str) or malignant not in (None, False, True):
        raise ValueError("label must be a word, malignant true or false")
    return Finding(
        (left, top, right, bottom), label, None if malignant is None else bool(malignant), outline
    )


_READERS: dict[str, Any] = {
    "laterality": Laterality,
    "view_position": ViewPosition,
    "view_modifiers": lambda value: tuple(map(ViewModifier, value)),
    "image_kind": ImageKind,
    "split": Split,
    "size_hw": _pair(int),
    "pixel_spacing_mm": _pair(float),
    "gt_label": lambda value: {str(k): float(v) for k, v in value.items()},
    "clinic_vars": dict,
    "findings": lambda value: tuple(_finding(item) for item in value),
    "geometry": ImageGeometry.from_json,
}


@dataclass(frozen=True)
class Annotations:
    """The content of an annotation file.

    Attributes:
        tasks: Outcomes by name, in order.
        records: One per image.
        source: Name of the data source.
        level: What one label speaks about.
    """

    tasks: dict[str, Task]
    records: tuple[ImageRecord, ...]
    source: str = ""
    level: Level = Level.IMAGE


def read_annotations(path: str | Path) -> Annotations:
    """Read an annotation file, ours or in the published form.

    The published form names its tasks only; their kinds follow from the labels: only
    0 and 1 is binary, other whole numbers are multiclass, the rest is regression.

    Raises:
        AnnotationError: If the file or a row of it does not hold what it must.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise AnnotationError(
            f"{path} does not exist: run tools/prepare_dataset.py to make it"
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AnnotationError(f"{path} must be JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("data_list"), list):
        raise AnnotationError(f"{path} must be a dict with metainfo and data_list")
    records = tuple(
        ImageRecord.from_json(row, f"{path.name}: data_list[{i}]")
        for i, row in enumerate(content["data_list"])
    )
    meta = content.get("metainfo", {})
    try:
        tasks = read_tasks(meta, [record.gt_label for record in records])
        level = Level(meta.get("level", Level.IMAGE))
    except ValueError as error:
        raise AnnotationError(f"{path.name}: {error}") from error
    _check_labels(path.name, tasks, records)
    return Annotations(tasks, records, str(meta.get("source", "")), level)


def _check_labels(name: str, tasks: dict[str, Task], records: tuple[ImageRecord, ...]) -> None:
    for i, record in enumerate(records):
        for task, label in record.gt_label.items():
            place = f"{name}: data_list[{i}]: gt_label"
            if task not in tasks:
                known = ", ".join(tasks) or "none"
                raise AnnotationError(f"{place}: task {task} is not in metainfo.tasks ({known})")
            try:
                tasks[task].check(label)
            except TaskError as error:
                raise AnnotationError(f"{place}: {error}") from error


def write_annotations(path: str | Path, annotations: Annotations) -> None:
    """Write an annotation file, whole or not at all."""
    path = Path(path)
    content = {
        "metainfo": {
            "tasks": list(annotations.tasks),
            "task_specs": {name: task.to_json() for name, task in annotations.tasks.items()},
            "source": annotations.source,
            "level": annotations.level.value,
        },
        "data_list": [record.to_json() for record in annotations.records],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)
