"""Batches with missing labels, cut over processes, for the test of the multi-task head."""

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.distributed import get_rank, is_initialized
from torch.nn.parallel import DistributedDataParallel

from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.models.heads.outcome_layers import build_outcome_layer

TASKS = {
    "malignant": {"kind": "binary", "pos_weight": 3.0, "label_smoothing": 0.1},
    "birads": {"kind": "multiclass", "num_classes": 5, "loss_weight": 0.5},
    "density": {"kind": "ordinal", "num_classes": 4},
    "grade": {"kind": "ordinal", "num_classes": 3, "method": "coral"},
    "size": {"kind": "regression", "loss_weight": 0.5},
    "age": {"kind": "regression", "loss": "smooth_l1"},
}
# Both halves carry birads; only one carries density or grade; nobody carries size.
TARGETS = [
    {"malignant": 1.0, "birads": 4.0, "density": 0.0},
    {"malignant": 0.0, "density": 3.0},
    {"density": 2.0, "age": 0.3},
    {"birads": 2.0},
    {"malignant": 0.0, "birads": 0.0, "grade": 2.0, "age": 2.5},
    {},
]


def samples(targets: Sequence[dict[str, float]]) -> list[DataSample]:
    """Return data samples as the pipeline packs them."""
    made = []
    for i, labels in enumerate(targets):
        sample = DataSample(metainfo={"img_path": f"images/{i}.png"})
        sample.set_field(dict(labels), "gt_targets", dtype=dict)
        made.append(sample)
    return made


class Trained(nn.Module):
    """A layer below the head, so that gradients reach further down, and the sum of losses."""

    def __init__(self, *, learned_weights: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.below = nn.Linear(6, 8)
        self.head = MaskedMultiTaskHead(TASKS, 8, learned_weights=learned_weights)

    def forward(self, x: Tensor, data_samples: list[DataSample]) -> Tensor:
        losses = self.head.loss((self.below(x),), data_samples)
        return torch.stack([loss for name, loss in losses.items() if "loss" in name]).sum()


def gradients() -> dict[str, Tensor]:
    """Return the gradients of the batch, each process with its part of it.

    Of a head with fixed and of one with learned weights of the tasks.
    """
    return {
        f"{learned}.{name}": gradient
        for learned in (False, True)
        for name, gradient in _gradients(Trained(learned_weights=learned)).items()
    }


def _gradients(model: Trained) -> dict[str, Tensor]:
    torch.manual_seed(1)
    x, targets = torch.randn(len(TARGETS), 6), TARGETS
    trained: nn.Module = model
    if is_initialized():
        trained = DistributedDataParallel(model)
        mine = slice(3 * get_rank(), 3 * get_rank() + 3)
        x, targets = x[mine], TARGETS[mine]
    # A second step fails if the first one left a parameter without its gradient.
    for _ in range(2):
        model.zero_grad()
        trained(x, samples(targets)).backward()
    return {name: p.grad for name, p in model.named_parameters()}


def rare_classes(rows: int = 60, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Return logits and labels of classes of which the last is the rarest."""
    generator = torch.Generator().manual_seed(1)
    labels = (torch.rand(rows, generator=generator) ** 3 * classes).floor()
    return torch.randn(rows, classes, generator=generator), labels


def gradients_summed_up() -> Tensor:
    """Return the sums of an equalised softmax, each process with its part of the batch."""
    layer = build_outcome_layer("grade", 4, "multiclass", 3, loss="equalised")
    logits, labels = rare_classes()
    if is_initialized():
        mine = slice(0, 7) if get_rank() == 0 else slice(7, 60)
        logits, labels = logits[mine], labels[mine]
    for _ in range(2):
        layer.losses(logits, labels)
    return layer.gradients
