"""A study of noise and a network of some weights: to try training itself, in seconds."""

import random
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmpretrain.registry import DATASETS, MODELS
from mmpretrain.structures import DataSample
from torch import nn
from torch.utils.data import Dataset

import mammography.engine.hooks.halt_on_non_finite_loss_hook
import mammography.engine.loops.reproducible_epoch_loop
import mammography.evaluation.metrics.multi_task_metric  # noqa: F401

TASKS = {
    "malignant": {"kind": "binary", "classes": ["0", "1"]},
    "density": {"kind": "ordinal", "classes": ["A", "B", "C"]},
    "size_mm": {"kind": "regression"},
}


@DATASETS.register_module()
class SmallStudy(Dataset):
    """Images of noise with a bright half when malignant, and random augmentation.

    Each image draws from the generators of NumPy, Python and torch, as transforms do. Only
    every second image has a density: with two processes, only those of the second one.
    """

    metainfo = {"tasks": list(TASKS), "task_specs": TASKS}

    def __init__(self, length=12, augment=False, tasks=tuple(TASKS)):
        self.length, self.augment, self.tasks = length, augment, tasks

    def __len__(self):  # noqa: D105
        return self.length

    def __getitem__(self, index):  # noqa: D105
        image = np.random.default_rng(index).normal(size=(1, 8, 8)).astype(np.float32)
        targets = {"malignant": index % 2, "density": index % 3, "size_mm": 0.1 * index}
        image[:, : 4 * targets["malignant"]] += 1
        if self.augment:
            image = image + np.random.normal() + random.random() + torch.rand(()).item()  # noqa: NPY002, S311
        sample = DataSample()
        sample.set_field(
            {name: float(targets[name]) for name in self.tasks if index % 2 or name != "density"},
            "gt_targets",
            dtype=dict,
        )
        sample.set_metainfo(
            {
                "img_path": f"dataset/small/images/{index}.png",
                "image_id": f"i{index}",
                "patient_id": f"p{index // 2}",
                "exam_id": None,
                "laterality": "LR"[index % 2],
                "view_position": "CC",
                "split": "test",
                "sample_idx": index,
            }
        )
        return {"inputs": torch.tensor(image, dtype=torch.float32), "data_samples": sample}


@MODELS.register_module()
class SmallNet(BaseModel):
    """Convolution, norm, dropout, one output per task."""

    def __init__(self, norm="BN", drop=0.5):
        super().__init__()
        layer = {"BN": nn.BatchNorm2d, "SyncBN": nn.SyncBatchNorm}[norm]
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), layer(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.drop, self.heads = nn.Dropout(drop), nn.Linear(4, 5)

    def forward(self, inputs, data_samples=None, mode="tensor"):
        inputs = torch.stack(inputs) if isinstance(inputs, list) else inputs
        features = self.drop(self.body(inputs).flatten(1))
        out = self.heads(features)
        if mode == "loss":
            target = out.new_tensor([sample.gt_targets["malignant"] for sample in data_samples])
            return {"loss": nn.functional.binary_cross_entropy_with_logits(out[:, 0], target)}
        for feature, row, sample in zip(features, out, data_samples, strict=True):
            scores = {
                "malignant": row[0].float().sigmoid().item(),
                "density": row[1:4].float().softmax(0).tolist(),
                "size_mm": row[4].item(),
            }
            sample.set_field(scores, "pred_scores", dtype=dict)
            sample.set_field(feature, "pred_features", dtype=torch.Tensor)
        return data_samples


def small_config(work_dir: Path, epochs: int = 2, workers: int = 0, **changes: object) -> Config:
    """Return a config of 4 steps per epoch (3 images each); ``changes`` by dotted names."""
    loader = {"batch_size": 3, "num_workers": workers}
    test = {
        "batch_size": 4,
        "num_workers": 0,
        "dataset": {"type": "SmallStudy", "length": 7},
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "collate_fn": {"type": "default_collate"},
    }
    cfg = Config(
        {
            "default_scope": "mmpretrain",
            "work_dir": str(work_dir),
            "model": {"type": "SmallNet"},
            "train_dataloader": loader
            | {
                "dataset": {"type": "SmallStudy", "augment": True},
                "sampler": {"type": "DefaultSampler", "shuffle": True},
                "collate_fn": {"type": "default_collate"},
            },
            "train_cfg": {"type": "ReproducibleEpochLoop", "max_epochs": epochs},
            "optim_wrapper": {
                "type": "OptimWrapper",
                "optimizer": {"type": "AdamW", "lr": 0.05},
                "clip_grad": {"max_norm": 35},
            },
            "param_scheduler": {"type": "StepLR", "step_size": 1, "gamma": 0.5},
            "val_dataloader": test,
            "val_cfg": {},
            "val_evaluator": [{"type": "MultiTaskMetric"}],
            "test_dataloader": test,
            "test_cfg": {},
            "test_evaluator": [{"type": "MultiTaskMetric"}],
            "default_hooks": {
                "checkpoint": {"type": "CheckpointHook", "interval": 1},
                "halt": {"type": "HaltOnNonFiniteLossHook"},
            },
            "randomness": {"seed": 0},
            "log_level": "WARNING",
        }
    )
    cfg.merge_from_dict(changes)
    return cfg
