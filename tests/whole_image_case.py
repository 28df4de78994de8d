"""A small whole-image classifier and its evaluation, alone and in each of two processes."""

import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # a new process imports this module before it runs

from mmengine.config import Config  # noqa: E402

import mammography.evaluation.metrics.dump_predictions  # noqa: E402
import mammography.models.heads.masked_multi_task_head  # noqa: E402
import mammography.models.necks.residual_top_neck  # noqa: E402, F401
from mammography.engine.portable_runner import PortableRunner  # noqa: E402
from small_study import small_config  # noqa: E402

IMAGES = 23
BATCH_SIZES = (5, 4)


def whole_image_model() -> dict:
    """Return the config of a patch network with residual groups on top."""
    return {
        "type": "ImageClassifier",
        "data_preprocessor": {"type": "ClsDataPreprocessor", "mean": [0.5], "std": [0.5]},
        "backbone": {
            "type": "ResNet",
            "depth": 18,
            "in_channels": 1,
            "stem_channels": 8,
            "base_channels": 8,
        },
        "neck": {"type": "ResidualTopNeck", "in_channels": 64, "depths": (8, 8)},
        "head": {
            "type": "MaskedMultiTaskHead",
            "in_channels": 16,
            "tasks": {"malignant": {"kind": "binary"}},
        },
    }


def whole_image_config(folder: Path, **changes: object) -> Config:
    """Return the config of the small study with that model; ``changes`` by dotted names."""
    cfg = small_config(folder)
    cfg.merge_from_dict({"model": {"_delete_": True, **whole_image_model()}})
    cfg.test_dataloader.dataset.length = IMAGES
    cfg.test_evaluator = [
        {"type": "MultiTaskMetric"},
        {"type": "DumpPredictions", "out_file": str(folder / "predictions.json")},
    ]
    cfg.merge_from_dict(changes)
    return cfg


def evaluate(folder: Path, batch_size: int, launcher: str = "none") -> float:
    """Test the untrained model on images that no batch size divides; return its ROC-AUC."""
    changes = {"test_dataloader.batch_size": batch_size, "launcher": launcher}
    runner = PortableRunner.from_cfg(whole_image_config(folder, **changes))
    return runner.test()["malignant/roc_auc"]


def evaluate_in_batches(folder: Path) -> dict:
    """Do so with each batch size."""
    return {size: evaluate(folder / str(size), size, "pytorch") for size in BATCH_SIZES}
