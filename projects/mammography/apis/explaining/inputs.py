"""Images to explain, in the form that the test of a config reads them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS

from mammography.apis.config import UsageError
from mammography.functional.png16 import encode_png16
from mammography.preparation.image import PreparationOptions, RejectedImage, prepare_image
from mammography.structures.annotation import (
    Annotations,
    ImageRecord,
    read_annotations,
    write_annotations,
)
from mammography.structures.task import Task
from mammography.terms import Laterality

_SELECTION = ("indices", "filter_cfg", "labelled_only", "tasks", "data_prefix")


@dataclass(frozen=True)
class Study:
    """Prepared images.

    Attributes:
        ann_file: Their annotation.
        root: Folder that their paths start from.
        records: What is known of each, by the path that the data set gives it.
    """

    ann_file: Path
    root: Path
    records: dict[str, ImageRecord]

    def dataset(self, cfg: Config) -> BaseDataset:
        """Return the test data set of a config, with these images."""
        settings = {k: v for k, v in cfg.test_dataloader.dataset.items() if k not in _SELECTION}
        settings |= {"ann_file": str(self.ann_file.resolve()), "data_root": str(self.root)}
        dataset: BaseDataset = DATASETS.build(settings)
        return dataset


def read_studies(
    inputs: Sequence[Path], cfg: Config, tasks: Iterable[Task], scratch: Path
) -> list[Study]:
    """Read annotation files, and prepare what is none.

    DICOM files are prepared with the options that the test data of the config were prepared
    with, as ``prepared.json`` beside them tells, and else with the usual ones.

    Args:
        inputs: Annotation files, prepared PNG images, or DICOM files.
        cfg: The config.
        tasks: Outcomes of the model.
        scratch: Folder for prepared images.

    Raises:
        UsageError: If there is nothing, or an image cannot be prepared.
    """
    annotated = [path for path in inputs if path.suffix == ".json"]
    single = [path for path in inputs if path.suffix != ".json"]
    studies = [_study(path, path.resolve().parent.parent) for path in annotated]
    if single:
        options = preparation_of(cfg)
        records = tuple(
            _single(path, number, options, scratch) for number, path in enumerate(single, 1)
        )
        specs = {task.name: task for task in tasks}
        ann_file = scratch / "annotations" / "inputs.json"
        write_annotations(ann_file, Annotations(specs, records, "inputs"))
        studies.append(_study(ann_file, scratch.resolve()))
    if not studies:
        raise UsageError("there must be an image, got none: name annotation files or images")
    return studies


def _study(ann_file: Path, root: Path) -> Study:
    records = read_annotations(ann_file).records
    return Study(ann_file, root, {str(root / record.img_path): record for record in records})


def preparation_of(cfg: Config) -> PreparationOptions:
    """Return how the test data of a config were prepared; as usual where nothing tells."""
    told = Path(cfg.test_dataloader.dataset.get("data_root") or ".") / "prepared.json"
    if not told.is_file():
        return PreparationOptions(require_laterality=False)
    given = json.loads(told.read_text(encoding="utf-8"))["preparation"]
    known = {field.name for field in fields(PreparationOptions)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in given.items()
        if name in known
    }
    side = values.get("flip_to")
    values |= {"flip_to": side and Laterality(side), "require_laterality": False}
    return PreparationOptions(**values)


def _single(path: Path, number: int, options: PreparationOptions, scratch: Path) -> ImageRecord:
    """Return the record of one image: a PNG as it is, anything else prepared."""
    name = f"{number:05d}"  # A file name may tell who the patient is.
    if not path.is_file():
        raise UsageError(f"{path} does not exist")
    if path.suffix.lower() == ".png":
        return ImageRecord(str(path.resolve()), patient_id=name, exam_id=name, image_id=name)
    try:
        found = prepare_image(path, options=options)
    except RejectedImage as error:
        raise UsageError(f"{path} cannot be prepared: {error}") from error
    png = scratch / "images" / f"{name}.png"
    png.parent.mkdir(parents=True, exist_ok=True)
    png.write_bytes(encode_png16(found.pixels))
    facts: dict[str, Any] = {
        "laterality": found.laterality,
        "view_position": found.view_position,
        "manufacturer": found.manufacturer,
        "pixel_spacing_mm": found.pixel_spacing_mm,
        "geometry": found.geometry,
    }
    size_hw = (int(found.pixels.shape[0]), int(found.pixels.shape[1]))
    return ImageRecord(
        f"images/{name}.png",
        patient_id=name,
        exam_id=name,
        image_id=name,
        size_hw=size_hw,
        **facts,
    )
