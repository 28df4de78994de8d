"""A small prepared study on disk: half ellipses of noise, drawn in memory."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import DefaultScope

from mammography.functional.png16 import encode_png16
from mammography.structures.annotation import (
    Annotations,
    Finding,
    ImageRecord,
    write_annotations,
)
from mammography.structures.geometry import ImageGeometry
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Split, ViewPosition


def draw_breast(seed: int, size_hw=(160, 100), mirrored=False) -> np.ndarray:
    """Return a breast with its chest wall at the left (right if mirrored), 16 bits."""
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    inside = ((y - height / 2) / (0.48 * height)) ** 2 + (x / (0.9 * width)) ** 2 < 1
    tissue = np.random.default_rng(seed).integers(3000, 60000, size_hw)
    image = np.where(inside, tissue, 0).astype(np.uint16)
    return np.fliplr(image).copy() if mirrored else image


@dataclass
class Study:
    """A data root with eight images of four patients."""

    root: Path
    images: list[np.ndarray] = field(default_factory=list)

    @property
    def settings(self) -> dict:
        return {"data_root": str(self.root), "ann_file": "annotations/train.json"}


@pytest.fixture
def study(tmp_path) -> Study:
    """Malignancy is known for all but the last image, density for every other one."""
    study = Study(tmp_path)
    (tmp_path / "images").mkdir()
    records = []
    for i in range(8):
        side = Laterality.LEFT if i % 2 == 0 else Laterality.RIGHT
        study.images.append(draw_breast(i, mirrored=side is Laterality.RIGHT))
        (tmp_path / f"images/i{i}.png").write_bytes(encode_png16(study.images[-1]))
        labels = {} if i == 7 else {"malignant": float(i in (2, 5)), "size_mm": i / 7}
        labels |= {"density": float(i % 4)} if i % 2 else {}
        records.append(
            ImageRecord(
                img_path=f"images/i{i}.png",
                image_id=f"i{i}",
                patient_id=f"p{i // 2}",
                exam_id=f"e{i // 2}",
                laterality=side,
                view_position=ViewPosition.CC if i < 4 else ViewPosition.MLO,
                split=Split.TRAIN if i < 6 else Split.VAL,
                gt_label=labels,
                clinic_vars={"age_years": 50 + i},
                findings=(Finding((10, 20, 30, 40), "mass", True),) if i == 2 else (),
                geometry=ImageGeometry((160, 100), (0, 0, 100, 160), flipped=i == 3),
            )
        )
    tasks = parse_tasks(["malignant:binary", "density:ordinal=A,B,C,D", "size_mm:regression"])
    write_annotations(tmp_path / "annotations/train.json", Annotations(tasks, tuple(records)))
    return study


@pytest.fixture(autouse=True)
def scope():
    """Build by the names of MMPreTrain, as the configs do."""
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        yield
