"""A globally-aware model small enough to train in a test, and what two processes do with it."""

from typing import Any

import torch
from mmpretrain.registry import MODELS
from torch import Tensor, nn
from torch.distributed import get_rank, is_initialized
from torch.nn.parallel import DistributedDataParallel

import mammography.models.backbones.globally_aware_backbone
import mammography.models.backbones.preactivation_resnet
import mammography.models.heads.globally_aware_head  # noqa: F401
from head_cases import samples

BINARY = {"kind": "binary"}
TARGETS = [{"benign": 0.0, "malignant": 1.0}, {"malignant": 0.0}, {}, {"malignant": 0.0}]


def small_model(norm: str = "BN", kind: str = "ImageClassifier", **settings: Any) -> nn.Module:
    """Return a classifier of images of 64 pixels by two crops of 16; options go to its parts.

    Args:
        norm: ``BN``; ``GN`` for a model whose images know nothing of each other; ``DomainBN``.
        kind: Of the classifier.
        settings: ``backbone`` and ``head``: further options of these; all else goes to the
            classifier.
    """
    norm_cfg = {"type": norm} | ({"num_groups": 2} if norm == "GN" else {})
    network = {"type": "PreActivationResNet", "norm_cfg": norm_cfg, "stem_channels": 8}
    backbone = {
        "type": "GloballyAwareBackbone",
        "global_network": network
        | {"stage_channels": (8, 16), "stage_blocks": (1, 1), "strides": (1, 2)},
        "local_network": network | {"stage_channels": (8,), "stage_blocks": (1,), "strides": (1,)},
        "global_channels": 16,
        "crop_size_hw": (16, 16),
        "num_crops": 2,
    }
    head = {
        "type": "GloballyAwareHead",
        "tasks": {"benign": BINARY, "malignant": BINARY},
        "global_channels": 16,
        "local_channels": 8,
        "attention_channels": 4,
        "top_fraction": 0.05,
    }
    parts = {"backbone": backbone, "head": head}
    for part, config in parts.items():
        config.update(settings.pop(part, {}))
    torch.manual_seed(0)
    return MODELS.build({"type": kind, **parts, **settings})


def total(losses: dict[str, Tensor]) -> Tensor:
    """Return what is minimised."""
    return torch.stack([loss for name, loss in losses.items() if "loss" in name]).sum()


class _Trained(nn.Module):
    """What data-parallel training wraps: images and samples to one loss."""

    def __init__(self, **head: Any) -> None:
        super().__init__()
        self.model = small_model("GN", head=head)

    def forward(self, images: Tensor, data_samples: list) -> Tensor:
        return total(self.model.loss(images, data_samples))


def gradients() -> dict[str, Tensor]:
    """Return the gradients of a batch of four, each process with its part of it.

    The first process alone has a label of one task; the second has an image without any.
    """
    found = {}
    for reduction in ("sum", "mean"):
        model = _Trained(saliency_weight=0.01, saliency_reduction=reduction)
        torch.manual_seed(1)
        images, targets = torch.rand(4, 1, 64, 48), TARGETS
        trained: nn.Module = model
        if is_initialized():
            trained = DistributedDataParallel(model)
            mine = slice(2 * get_rank(), 2 * get_rank() + 2)
            images, targets = images[mine], targets[mine]
        # A second step fails if the first one left a parameter without its gradient.
        for _ in range(2):
            model.zero_grad()
            trained(images, samples(targets)).backward()
        found |= {f"{reduction}.{name}": p.grad for name, p in model.named_parameters()}
    return found
