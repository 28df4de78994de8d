"""What each of two processes trains with a weighted sampler and a threshold."""

import warnings
from pathlib import Path

warnings.simplefilter("ignore")  # a new process imports this module before it runs

import torch  # noqa: E402
from mmengine.dist import barrier  # noqa: E402
from mmpretrain.utils import get_ori_model  # noqa: E402

import group_cases  # noqa: E402, F401
from mammography.engine.hooks import carry_threshold_hook  # noqa: E402
from mammography.engine.portable_runner import PortableRunner  # noqa: E402
from mammography.engine.samplers import weighted_sampler  # noqa: E402, F401
from mammography.evaluation.metrics import screening_metric  # noqa: E402, F401
from small_study import small_config  # noqa: E402


def train_weighted(folder: Path, launcher: str = "none") -> dict:
    """Train for two epochs, eight images a step over all processes; validate after each."""
    cfg = small_config(folder, launcher=launcher)
    cfg.model.drop = 0
    cfg.train_dataloader.batch_size = 8 if launcher == "none" else 4
    cfg.train_dataloader.dataset = {"type": "GroupedStudy", "length": 24, "augment": True}
    shares = {"0": 1, "1": 3}
    weighted = {"type": "WeightedSampler", "groups": "malignant", "shares": shares}
    cfg.train_dataloader.sampler = weighted
    cfg.val_dataloader.dataset.update(length=11)
    cfg.val_evaluator = cfg.test_evaluator = [{"type": "ScreeningMetric"}]
    cfg.custom_hooks = [
        {"type": "CarryThresholdHook"},
        # Each process has statistics of its own images otherwise.
        {"type": "SelectTrainableHook", "norm_statistics": "freeze"},
    ]
    runner = PortableRunner.from_cfg(cfg)
    runner.train()
    barrier()  # the first process writes
    carried = torch.load(folder / "epoch_2.pth", weights_only=False)["meta"]
    return {
        "weights": dict(get_ori_model(runner.model).state_dict()),
        "carried": carried[carry_threshold_hook.KEY]["malignant"]["threshold"],
    }
