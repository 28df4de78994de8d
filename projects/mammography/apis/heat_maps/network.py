"""A trained patch classifier, taken apart so that it can look at whole images."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpretrain.models import GlobalAveragePooling, ImageClassifier
from mmpretrain.registry import MODELS, TRANSFORMS
from numpy.typing import NDArray
from torch import Tensor

from mammography.apis.config import UsageError, check_checkpoint, load_config
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.terms import TaskKind

BACKGROUND = "background"
# What places an image or packs it: the network sees whole images as they were prepared.
_GEOMETRY = ("AffineResize", "RandomAffineWarp", "PackMammogram")


@dataclass(frozen=True)
class PatchNetwork:
    """The parts of a patch classifier.

    Attributes:
        model: The whole of it, ready to predict.
        task: Name of its task.
        classes: Of that task, in order.
        window: Side of a patch in pixels.
        cell: Pixels per place of the map that the backbone gives.
        steps: Transforms that read an image and change its grey values.
    """

    model: ImageClassifier
    task: str
    classes: tuple[str, ...]
    window: int
    cell: int
    steps: tuple[Any, ...]

    def read(self, path: str) -> NDArray[np.float32]:
        """Return an image with the grey values that the patches had, ``(H, W)``."""
        results: dict[str, Any] = {"img_path": path}
        for step in self.steps:
            results = step(results)
        return np.asarray(results["img"], np.float32)

    def trunk(self, images: Tensor) -> Tensor:
        """Return the features of images, ``(N, D, h, w)``."""
        return _features(self.model, images)

    def classify(self, pooled: Tensor) -> Tensor:
        """Return the class probabilities of pooled features, ``(M, K)``."""
        head = self.model.head
        scores: Tensor = head.layers[self.task].scores(head((pooled,))[self.task])
        return scores

    def predict(self, patches: Tensor) -> Tensor:
        """Return the class probabilities of patches, each seen alone, ``(N, K)``."""
        return self.classify(self.model.neck((self.trunk(patches),))[0])


def load_patch_network(
    config: str | Path,
    checkpoint: str,
    *,
    window: int | None = None,
    cfg_options: Mapping[str, Any] | None = None,
) -> PatchNetwork:
    """Build the model of a config with the weights of a checkpoint.

    Args:
        config: Config of a patch classifier.
        checkpoint: Its weights.
        window: Side of a patch in pixels; that of the test pipeline by default.
        cfg_options: Changes of the config by dotted names.

    Raises:
        UsageError: If it is no classifier of patches with an average between backbone
            and head, or the size of its patches is not known.
    """
    cfg = load_config(config, cfg_options)
    check_checkpoint(checkpoint, str(cfg.work_dir))
    init_default_scope("mmpretrain")
    model = MODELS.build(cfg.model)
    task = _task_of(model, str(config))
    content = load_checkpoint(model, checkpoint, map_location="cpu", strict=True)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    model.eval()
    pipeline = cfg.test_dataloader.dataset.pipeline
    window = window or _patch_size(cfg, pipeline)
    return PatchNetwork(
        model,
        task,
        _classes(model, task, content),
        window,
        _cell_of(model, window),
        tuple(TRANSFORMS.build(step) for step in pipeline if step["type"] not in _GEOMETRY),
    )


def _features(model: ImageClassifier, images: Tensor) -> Tensor:
    images = model.data_preprocessor({"inputs": images})["inputs"]
    features: Tensor = model.backbone(images)[-1]
    return features


def _task_of(model: Any, config: str) -> str:
    """Return the name of the one task with classes that a patch classifier has."""
    neck, head = getattr(model, "neck", None), getattr(model, "head", None)
    if not isinstance(neck, GlobalAveragePooling) or not isinstance(head, MaskedMultiTaskHead):
        raise UsageError(
            f"{config}: heat maps need a patch classifier with GlobalAveragePooling and "
            f"MaskedMultiTaskHead, got {type(neck).__name__} and {type(head).__name__}"
        )
    tasks = [n for n, layer in head.layers.items() if layer.task.kind is TaskKind.MULTICLASS]
    if len(tasks) != 1:
        raise UsageError(
            f"{config}: a patch classifier must have one multiclass task, got "
            f"{', '.join(tasks) or 'none'}"
        )
    return tasks[0]


def _classes(model: ImageClassifier, task: str, checkpoint: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the classes that the checkpoint was trained on."""
    meta = checkpoint.get("meta", {}).get("dataset_meta") or {}
    named = meta.get("task_specs", {}).get(task, {}).get("classes", ())
    own: tuple[str, ...] = model.head.layers[task].task.classes
    return tuple(named) if len(named) == len(own) else own


def _patch_size(cfg: Config, pipeline: list[dict[str, Any]]) -> int:
    sizes = {tuple(step["size_hw"]) for step in pipeline if "size_hw" in step}
    if len(sizes) != 1 or len(set(*sizes)) != 1:
        raise UsageError(
            f"{cfg.filename}: the test pipeline must make squares of one size, got "
            f"{sorted(sizes) or 'none'}: state the side of a patch"
        )
    return int(sizes.pop()[0])


@torch.inference_mode()
def _cell_of(model: ImageClassifier, window: int) -> int:
    """Return how many pixels further one place of the map lies than its neighbour."""
    device = next(model.parameters()).device
    more = 256
    short, long = (
        _features(model, torch.zeros(1, 1, 64, side, device=device)).shape[-1]
        for side in (window, window + more)
    )
    return more // (long - short)
