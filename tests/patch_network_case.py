"""A small patch classifier with weights of chance, and two images for it to look at."""

from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS

import mammography.plugin  # noqa: F401
from mammography.functional.png16 import encode_png16
from mammography.structures.annotation import (
    Annotations,
    Finding,
    ImageRecord,
    write_annotations,
)
from mammography.structures.geometry import ImageGeometry
from mammography.structures.task import parse_tasks

CLASSES = (
    "background",
    "malignant_calcification",
    "benign_calcification",
    "malignant_mass",
    "benign_mass",
)
SIZE_HW = (96, 70)
GEOMETRY = ImageGeometry((200, 180), (10, 20, 150, 200), (0.5, 0.5), True, (6, 0))


def write_network(folder: Path, **changes: object) -> tuple[Path, Path]:
    """Write config and checkpoint of a network for patches of 64 pixels; return their paths."""
    pipeline = [
        {"type": "LoadMammogram"},
        {"type": "AffineResize", "size_hw": (64, 64)},
        {"type": "PackMammogram"},
    ]
    cfg = Config(
        {
            "model": {
                "type": "ImageClassifier",
                "data_preprocessor": {"type": "ClsDataPreprocessor", "mean": [0.5], "std": [0.5]},
                "backbone": {
                    "type": "ResNet",
                    "depth": 18,
                    "in_channels": 1,
                    "stem_channels": 8,
                    "base_channels": 8,
                },
                "neck": {"type": "GlobalAveragePooling"},
                "head": {
                    "type": "MaskedMultiTaskHead",
                    "in_channels": 64,
                    "tasks": {"lesion": {"kind": "multiclass", "num_classes": 5}},
                },
            },
            "test_dataloader": {"dataset": {"pipeline": pipeline}},
        }
    )
    cfg.merge_from_dict(changes)
    folder.mkdir(parents=True, exist_ok=True)
    cfg.dump(folder / "patches.py")
    init_default_scope("mmpretrain")
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    specs = {"lesion": {"kind": "multiclass", "classes": list(CLASSES)}}
    meta = {"dataset_meta": {"tasks": ["lesion"], "task_specs": specs}}
    torch.save({"state_dict": model.state_dict(), "meta": meta}, folder / "patches.pth")
    return folder / "patches.py", folder / "patches.pth"


def write_images(root: Path) -> Path:
    """Write a study of two images, one with a mass; return its annotation file."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    mass = Finding((20.0, 30.0, 52.0, 70.0), "mass", malignant=True)
    records = []
    for name, findings in (("ill", (mass,)), ("well", ())):
        pixels = rng.integers(0, 65536, SIZE_HW).astype(np.uint16)
        (root / f"images/{name}.png").write_bytes(encode_png16(pixels))
        records.append(
            ImageRecord(
                f"images/{name}.png",
                image_id=name,
                patient_id=name,
                size_hw=SIZE_HW,
                findings=findings,
                geometry=GEOMETRY,
            )
        )
    path = root / "annotations" / "test.json"
    write_annotations(path, Annotations(parse_tasks(["malignant:binary"]), tuple(records)))
    return path
