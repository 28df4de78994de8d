"""Two prepared studies of noise, and a config that trains a small network on both."""

from pathlib import Path

import numpy as np
from mmengine.config import Config

import domain_cases  # noqa: F401 (registers the network)
import mammography.datasets.mammography_dataset
import mammography.datasets.transforms.load_mammogram
import mammography.datasets.transforms.pack_mammogram
import mammography.engine.hooks.adversarial_strength_hook
import mammography.engine.schedules.inverse_power_lr
import mammography.models.classifiers.domain_adversarial_classifier  # noqa: F401
from mammography.functional.png16 import encode_png16
from mammography.structures.annotation import Annotations, ImageRecord, write_annotations
from mammography.structures.task import parse_tasks
from small_study import small_config


def write_hospital(root: Path, images: int, level: int, labels: bool = True) -> None:
    """Write 16-bit images of noise around a level, two to a patient."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(level)
    records = []
    for i in range(images):
        pixels = rng.integers(level, level + 20000, (6, 4)).astype(np.uint16)
        (root / f"images/{i}.png").write_bytes(encode_png16(pixels))
        known = {"malignant": float(i % 2)} if labels else {}
        records.append(
            ImageRecord(
                f"images/{i}.png", image_id=f"i{i}", patient_id=f"p{i // 2}", gt_label=known
            )
        )
    tasks = parse_tasks(["malignant:binary"] if labels else [])
    write_annotations(root / "annotations/train.json", Annotations(tasks, tuple(records)))


def write_hospitals(root: Path) -> None:
    """Write a source with labels and a target that has never heard of the task."""
    write_hospital(root / "near", images=12, level=1000)
    write_hospital(root / "far", images=8, level=30000, labels=False)


def hospital(root: Path, domain: str, **settings: object) -> dict:
    """Return the config of one of the studies."""
    return {
        "type": "MammographyDataset",
        "data_root": str(root / {"source": "near", "target": "far"}[domain]),
        "ann_file": "annotations/train.json",
        "tasks": ["malignant:binary"],
        "domain": domain,
        "pipeline": [{"type": "LoadMammogram"}, {"type": "PackMammogram"}],
    } | settings


def two_hospitals_config(root: Path, work_dir: Path, **changes: object) -> Config:
    """Return a config of 5 steps per epoch (4 images each); ``changes`` by dotted names."""
    cfg = small_config(work_dir)
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    cfg.update(test_cfg=None, test_dataloader=None, test_evaluator=None)
    cfg.merge_from_dict(
        {
            "model": {
                "_delete_": True,
                "type": "DomainAdversarialClassifier",
                "data_preprocessor": {"mean": [0.5], "std": [0.5]},
                "backbone": {"type": "SmallBody", "in_channels": 1, "norm": "BN"},
                "head": {
                    "type": "MaskedMultiTaskHead",
                    "tasks": {"malignant": {"kind": "binary"}},
                    "in_channels": 8,
                    "drop_rate": 0.2,
                },
                "domain_head": {"type": "DomainHead", "in_channels": 8, "hidden_channels": [4]},
            },
            "train_dataloader.batch_size": 4,
            "train_dataloader.dataset": {
                "_delete_": True,
                "type": "ConcatDataset",
                "datasets": [hospital(root, "source"), hospital(root, "target", unlabelled=True)],
            },
            "param_scheduler": {"_delete_": True, "type": "InversePowerLR", "by_epoch": False},
            "custom_hooks": [{"type": "AdversarialStrengthHook"}],
            "default_hooks.checkpoint.by_epoch": False,
            "default_hooks.logger": {"type": "LoggerHook", "interval": 1},
        }
    )
    cfg.merge_from_dict(changes)
    return cfg
