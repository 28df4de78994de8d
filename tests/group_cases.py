"""Studies with groups, and what each of two processes trains on them."""

import warnings
import weakref
from pathlib import Path

warnings.simplefilter("ignore")  # a new process imports this module before it runs

from mmpretrain.registry import DATASETS  # noqa: E402
from mmpretrain.utils import get_ori_model  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402

import mammography.engine.hooks.select_trainable_hook  # noqa: E402
import mammography.engine.samplers.group_batch_sampler  # noqa: E402, F401
from mammography.engine.portable_runner import PortableRunner  # noqa: E402
from small_study import SmallStudy, small_config  # noqa: E402


def row(index, patient=None, laterality="L", domain="source", **labels):
    """Return what a dataset tells of an image."""
    return {
        "img_path": f"images/{index}.png",
        "patient_id": patient,
        "exam_id": None,
        "laterality": laterality,
        "domain": domain,
        "gt_label": labels,
    }


class Rows(Dataset):
    """Images of which only the rows are known."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):  # noqa: D105
        return len(self.rows)

    def get_data_info(self, index):
        return self.rows[index]


@DATASETS.register_module()
class GroupedStudy(SmallStudy):
    """The small study, of which every second image is malignant; two images a patient."""

    def get_data_info(self, index):
        return row(index, f"p{index // 4}", "LR"[index % 2], malignant=float(index % 2))


BALANCED = {
    "train_dataloader.batch_size": 4,
    "train_dataloader.dataset.type": "GroupedStudy",
    "train_dataloader.batch_sampler": {
        "type": "GroupBatchSampler",
        "groups": {"malignant": {"malignant": 1}, "other": {"malignant": 0}},
        "keep_together": "breast",
    },
}


def train_balanced(folder: Path, launcher: str = "none", **choice: object) -> dict:
    """Train for two epochs of three steps; convolutions are frozen.

    With eight images a step over all processes: two processes with four do what one does.
    """
    cfg = small_config(folder, **BALANCED, launcher=launcher)
    cfg.merge_from_dict({"model.drop": 0, "train_dataloader.dataset.length": 24})
    cfg.train_dataloader.batch_size = 8 if launcher == "none" else 4
    cfg.custom_hooks = [{"type": "SelectTrainableHook", "freeze_types": ["Conv2d"], **choice}]
    cfg.update(val_cfg=None, val_dataloader=None, val_evaluator=None)
    runner = PortableRunner.from_cfg(cfg)
    wrapper = weakref.ref(runner.model)
    before = {
        name: value.clone() for name, value in get_ori_model(runner.model).state_dict().items()
    }
    runner.train()
    parallel = getattr(runner.model, "_get_ddp_logging_data", dict)()
    return {
        "before": before,
        "after": dict(get_ori_model(runner.model).state_dict()),
        "steps": runner.iter,
        "reduced_tensors": parallel.get("num_parameter_tensors"),
        "first_wrapper_is_gone": wrapper() is None,
    }


def train_two_choices(folder: Path) -> dict:
    """Train with batch norm statistics frozen, and with them updated."""
    return {
        statistics: train_balanced(folder / statistics, "pytorch", norm_statistics=statistics)
        for statistics in ("freeze", "update")
    }
