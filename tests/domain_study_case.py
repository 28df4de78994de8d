"""Two small hospitals, a small network, and a study of both."""

from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mammography.functional.png16 import encode_png16
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, ViewPosition

RUNTIME = Path(__file__).parents[1] / "configs" / "_base_" / "default_runtime.py"
SIZE_HW = (8, 6)


@MODELS.register_module()
class StudyBody(nn.Module):
    """One convolution, a batch norm, the mean over the image."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU())

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return the mean over the image of its channels."""
        return (self.body(x).mean(dim=(2, 3)),)


def write_hospital(root: Path, patients: int, brightness: int, seed: int) -> None:
    """Write two views of two breasts per patient; a bright corner, in noise, is malignant.

    Half of the patients are for training, a quarter for validation, a quarter for the test.
    """
    rng = np.random.default_rng(seed)
    (root / "images").mkdir(parents=True)
    rows: dict[str, list[ImageRecord]] = {"train": [], "val": [], "test": []}
    for patient in range(patients):
        for side in Laterality:
            malignant = rng.random() < 0.4
            for view in (ViewPosition.CC, ViewPosition.MLO):
                name = f"{patient}_{side}_{view}"
                image = rng.normal(brightness, brightness / 4, SIZE_HW)
                image[:4] += malignant * brightness / 5
                pixels = np.clip(image, 1, 65535).astype(np.uint16)
                (root / f"images/{name}.png").write_bytes(encode_png16(pixels))
                record = ImageRecord(
                    f"images/{name}.png",
                    patient_id=f"p{patient}",
                    exam_id=f"e{patient}",
                    image_id=name,
                    laterality=side,
                    view_position=view,
                    gt_label={"malignant": float(malignant)},
                )
                rows[("train", "val", "test", "train")[patient % 4]].append(record)
    for split, records in rows.items():
        annotations = Annotations(parse_tasks(["malignant:binary"]), tuple(records), root.name)
        write_annotations(root / f"annotations/{split}.json", annotations)


def write_config(path: Path, **changes: object) -> Path:
    """Write a config of some seconds; ``changes`` by dotted names."""
    pipeline = [{"type": "LoadMammogram"}, {"type": "PackMammogram"}]

    def loader(split: str) -> dict:
        return {
            "batch_size": 8,
            "num_workers": 0,
            "sampler": {"type": "DefaultSampler", "shuffle": split == "train"},
            "dataset": {
                "type": "MammographyDataset",
                "data_root": "nowhere",
                "ann_file": f"annotations/{split}.json",
                "tasks": ["malignant"],
                "pipeline": pipeline,
            },
        }

    cfg = Config.fromfile(RUNTIME, import_custom_modules=False)
    cfg.merge_from_dict(
        {
            "custom_imports.imports": ["mammography.plugin", "domain_study_case"],
            "model": {
                "type": "ImageClassifier",
                "data_preprocessor": {"mean": [0.5], "std": [0.5], "num_classes": None},
                "backbone": {"type": "StudyBody"},
                "head": {
                    "type": "MaskedMultiTaskHead",
                    "tasks": {"malignant": {"kind": "binary"}},
                    "in_channels": 8,
                },
            },
            **{f"{split}_dataloader": loader(split) for split in ("train", "val", "test")},
            **{f"{split}_evaluator": [{"type": "MultiTaskMetric"}] for split in ("val", "test")},
            "train_cfg": {"type": "ReproducibleEpochLoop", "max_epochs": 2},
            "val_cfg": {},
            "test_cfg": {},
            "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 0.01}},
        }
    )
    cfg.merge_from_dict(changes)
    path.parent.mkdir(parents=True, exist_ok=True)
    cfg.dump(path)
    return path


def write_study(root: Path, patients: int = 60, **settings: object) -> Path:
    """Write hospitals, config and study below ``root``; ``settings`` replace parts of the study."""
    write_hospital(root / "dataset" / "near", patients, 16000, seed=1)
    write_hospital(root / "dataset" / "far", patients, 40000, seed=2)
    write_config(root / "configs" / "small.py")
    return write_study_file(root, **settings)


def write_study_file(root: Path, text: str = "", **settings: object) -> Path:
    """Write a study; ``settings`` replace parts of it, None takes one away."""
    study = {
        "domains": {name: {"data_root": f"dataset/{name}"} for name in ("near", "far")},
        "models": {"plain": {"config": "configs/small.py"}},
        "sources": ["near"],
        "targets": ["near", "far"],
        "statistics": {"running": None, "batch": {"statistics": "batch"}},
        "repeats": 200,
    } | settings
    path = root / "small_study.py"
    lines = [f"{name} = {value!r}" for name, value in study.items() if value is not None]
    path.write_text("\n".join([*lines, text]) + "\n")
    return path
