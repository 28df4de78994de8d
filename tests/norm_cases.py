"""A study and a classifier with batch norms, and what processes do with them in the tests."""

import warnings

warnings.simplefilter("ignore")  # a new process imports this module before it runs

from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import torch  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.hooks import Hook  # noqa: E402
from mmpretrain.registry import DATASETS, HOOKS  # noqa: E402
from mmpretrain.structures import DataSample  # noqa: E402
from mmpretrain.utils import get_ori_model  # noqa: E402
from torch.distributed import is_initialized  # noqa: E402
from torch.utils.data import Dataset  # noqa: E402

import mammography.engine.hooks.domain_norm_hook  # noqa: E402
import mammography.engine.hooks.norm_statistics_hook  # noqa: E402
import mammography.models.heads.masked_multi_task_head  # noqa: E402
import mammography.models.layers.domain_batch_norm  # noqa: E402, F401
from mammography.engine.portable_runner import PortableRunner  # noqa: E402
from mammography.engine.target_statistics import measure_target_statistics  # noqa: E402
from mammography.functional.batch_norm import find_norm_layers  # noqa: E402
from small_study import TASKS, small_config  # noqa: E402

HEAD_TASKS = {
    "malignant": {"kind": "binary"},
    "density": {"kind": "ordinal", "num_classes": 3},
    "size_mm": {"kind": "regression"},
}


@DATASETS.register_module()
class TwoLooks(Dataset):
    """Noise whose brightness and contrast differ between images and between two domains."""

    metainfo = {"tasks": list(TASKS), "task_specs": TASKS}

    def __init__(self, length: int = 7, domain: str | None = None) -> None:
        self.length, self.domain = length, domain

    def __len__(self) -> int:  # noqa: D105
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:  # noqa: D105
        generator = torch.Generator().manual_seed(index)
        image = 0.1 * torch.randn(1, 96, 80, generator=generator).cumsum(1).cumsum(2)
        image = image * (1 + 0.2 * index) + 0.3 * index
        domain = self.domain or ("source", "target")[index % 2]
        image = image if domain == "source" else 3 * image + 2
        targets = {"malignant": index % 2, "density": index % 3, "size_mm": 0.1 * index}
        sample = DataSample(metainfo={"img_path": f"{index}.png", "sample_idx": index})
        sample.set_metainfo({"image_id": f"i{index}", "patient_id": f"p{index}", "domain": domain})
        sample.set_field({k: float(v) for k, v in targets.items()}, "gt_targets", dtype=dict)
        return {"inputs": image, "data_samples": sample}


@HOOKS.register_module()
class KeepPredictions(Hook):
    """Keep the predictions by image, and the state of the model around a test or validation."""

    priority = "VERY_LOW"

    def __init__(self) -> None:
        self.scores: dict[int, list[float]] = {}
        self.before: dict[str, torch.Tensor] = {}

    def _after_iter(self, runner, batch_idx, data_batch=None, outputs=None, mode="train"):
        for sample in outputs if mode != "train" else ():
            scores = sample.pred_scores
            row = [scores["malignant"], *scores["density"], scores["size_mm"]]
            self.scores.setdefault(sample.sample_idx, row)


def classifier(norm: dict[str, Any] | None = None, **backbone: Any) -> dict[str, Any]:
    """Return the config of a narrow ResNet-18 with a head for three tasks."""
    return {
        "type": "ImageClassifier",
        "data_preprocessor": {"mean": [0.5], "std": [0.5], "to_rgb": False, "num_classes": None},
        "backbone": {
            "type": "mmpretrain.ResNet",
            "depth": 18,
            "in_channels": 1,
            "base_channels": 8,
            "stem_channels": 8,
            "norm_cfg": norm or {"type": "BN"},
            **backbone,
        },
        "neck": {"type": "GlobalAveragePooling"},
        "head": {"type": "MaskedMultiTaskHead", "tasks": HEAD_TASKS, "in_channels": 64},
    }


def norm_config(work_dir: Path, hooks: list[dict[str, Any]], **changes: Any) -> Config:
    """Return a config whose batch norms hold something else than at the start."""
    cfg = small_config(work_dir)
    cfg.model = classifier()
    for name in ("train", "val", "test"):
        cfg[f"{name}_dataloader"].dataset = {"type": "TwoLooks"}
    cfg.custom_hooks = [*hooks, {"type": "KeepPredictions"}]
    cfg.merge_from_dict(changes)
    return cfg


def build(cfg: Config) -> PortableRunner:
    """Build the runner; weights and statistics of its model are the same in every process."""
    runner = PortableRunner.from_cfg(cfg)
    generator = torch.Generator().manual_seed(1)
    for layer in find_norm_layers(runner.model).values():
        for tensor in (layer.running_mean, layer.running_var, layer.weight, layer.bias):
            tensor.data.add_(0.2 * torch.rand(tensor.shape, generator=generator))
    for parameter in runner.model.parameters():
        if parameter.ndim > 1:
            fan = parameter[0].numel()
            parameter.data = torch.randn(parameter.shape, generator=generator) / fan**0.5
    return runner


def predictions(runner: PortableRunner) -> torch.Tensor:
    """Return what the test predicted, a row per image."""
    kept = next(hook for hook in runner.hooks if isinstance(hook, KeepPredictions))
    return torch.tensor([kept.scores[index] for index in sorted(kept.scores)])


def scores_on_ranks(folder: Path, choices: list[dict[str, Any]]) -> list[torch.Tensor]:
    """Test seven images with each choice of statistics, four of them per batch in all."""
    results = []
    for number, choice in enumerate(choices):
        hook = {"type": "NormStatisticsHook", **choice}
        runner = build(shared_config(folder / str(number), [hook]))
        runner.test()
        results.append(predictions(runner))
    return results


def moments_on_ranks(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Measure the target statistics of seven images, four of them per batch in all."""
    runner = build(shared_config(folder, []))
    loader = runner.test_loop.dataloader
    measured = measure_target_statistics(get_ori_model(runner.model), loader, loader.batch_size)
    return {
        name: {"mean": each.mean, "variance": each.variance(unbiased=True), "count": each.count}
        for name, each in measured.items()
    }


def domain_scores_on_ranks(folder: Path, statistics: str) -> torch.Tensor:
    """Test eight images; with two processes each of them has those of one domain only."""
    hooks = [{"type": "DomainNormHook"}, {"type": "NormStatisticsHook", "statistics": statistics}]
    cfg = shared_config(folder, hooks)
    cfg.model.backbone.norm_cfg = {"type": "DomainBN", "domain_affine": True}
    cfg.test_dataloader.dataset.length = 8
    runner = build(cfg)
    runner.test()
    return predictions(runner)


def shared_config(folder: Path, hooks: list[dict[str, Any]]) -> Config:
    """Return the config for this process, one of two or the only one."""
    cfg = norm_config(folder, hooks)
    cfg.test_dataloader.batch_size = 2 if is_initialized() else 4
    cfg.launcher = "pytorch" if is_initialized() else "none"
    return cfg


def on_ranks(folder: Path, choices: list[dict[str, Any]]) -> dict[str, Any]:
    """Do both; starting a process costs more than either."""
    return {
        "scores": scores_on_ranks(folder / "scores", choices),
        "moments": moments_on_ranks(folder / "moments"),
        "domains": [domain_scores_on_ranks(folder / name, name) for name in ("batch", "entropy")],
    }
