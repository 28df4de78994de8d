"""A config that trains a small network on a prepared phantom study."""

from pathlib import Path

from mmengine.config import Config

from phantoms import prepared_png_study

TASKS = {
    "malignant": {"kind": "binary"},
    "density": {"kind": "ordinal", "num_classes": 4},
    "mass_size_mm": {"kind": "regression", "loss_weight": 0.5},
}
RUNTIME = Path(__file__).parents[1] / "configs" / "_base_" / "default_runtime.py"


def write_config(root: Path, **changes: object) -> Path:
    """Write ``configs/multi_task/small.py`` below ``root``, with relative paths."""
    train = [
        {"type": "LoadMammogram"},
        {"type": "RandomAffineWarp", "size_hw": (64, 32), "flip_prob": 0.5},
        {"type": "PackMammogram"},
    ]
    test = [
        {"type": "LoadMammogram"},
        {"type": "AffineResize", "size_hw": (64, 32)},
        {"type": "PackMammogram"},
    ]
    cfg = Config.fromfile(RUNTIME, import_custom_modules=False)
    model = {
        "type": "ImageClassifier",
        "data_preprocessor": {"mean": [0.5], "std": [0.5], "to_rgb": False, "num_classes": None},
        "backbone": {
            "type": "mmpretrain.ResNet",
            "depth": 18,
            "in_channels": 1,
            "base_channels": 8,
            "stem_channels": 8,
            "norm_cfg": {"type": "BN"},
        },
        "neck": {"type": "GlobalAveragePooling"},
        "head": {"type": "MaskedMultiTaskHead", "tasks": TASKS, "in_channels": 64},
    }
    settings = {
        "data_root": "dataset/phantom",
        "model": model,
        "train_dataloader": _loader("train", train, shuffle=True),
        "val_dataloader": _loader("val", test),
        "test_dataloader": _loader("test", test),
        "val_evaluator": [{"type": "MultiTaskMetric"}],
        "test_evaluator": [{"type": "MultiTaskMetric"}],
        "train_cfg": {"type": "ReproducibleEpochLoop", "max_epochs": 2},
        "val_cfg": {},
        "test_cfg": {},
        "optim_wrapper": {"optimizer": {"type": "AdamW", "lr": 1e-3}},
        "param_scheduler": {"type": "StepLR", "step_size": 1, "gamma": 0.95},
        "auto_scale_lr": {"base_batch_size": 256},
    }
    cfg.merge_from_dict(settings)
    cfg.merge_from_dict(changes)
    path = root / "configs" / "multi_task" / "small.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    cfg.dump(path)
    return path


def write_study(root: Path) -> None:
    """Draw the images, with labels of three of the tasks."""
    prepared_png_study(root / "dataset" / "phantom", patients=8, size_hw=(96, 78))


def _loader(split: str, pipeline: list[dict], shuffle: bool = False) -> dict:
    return {
        "batch_size": 4,
        "num_workers": 0,
        "sampler": {"type": "DefaultSampler", "shuffle": shuffle},
        "dataset": {
            "type": "MammographyDataset",
            "data_root": "dataset/phantom",
            "ann_file": f"annotations/{split}.json",
            "tasks": list(TASKS),
            "pipeline": pipeline,
        },
    }
