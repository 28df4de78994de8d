"""Networks and batches of two domains, and what processes that share a batch make of them."""

from collections.abc import Sequence

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn
from torch.distributed import get_rank, is_initialized
from torch.nn.parallel import DistributedDataParallel

from mammography.models.classifiers.domain_adversarial_classifier import (
    DomainAdversarialClassifier,
)
from mammography.models.heads.domain_head import DomainHead
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.models.layers.domain_batch_norm import DomainBatchNorm2d

S, T = "source", "target"
# The first process has no target, the second no source image; then one of them has both.
BATCHES = {"apart": (S, S, S, T, T, T), "unbalanced": (S, S, S, S, T, S), "target": (T,) * 6}


@MODELS.register_module()
class SmallBody(nn.Module):
    """Channels first to one vector per image, with or without a norm."""

    def __init__(
        self, in_channels: int = 6, norm: str | None = None, activation: str = "Tanh"
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, 8, 1, bias=False)
        kinds = {None: nn.Identity, "BN": nn.BatchNorm2d, "DomainBN": DomainBatchNorm2d}
        self.norm = kinds[norm](8)
        self.activation = getattr(nn, activation)()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """Return the mean over the image of its channels."""
        return (self.activation(self.norm(self.conv(x))).mean(dim=(2, 3)),)


def samples(domains: Sequence[str | None], labels: Sequence[float | None]) -> list[DataSample]:
    """Return data samples as the pipeline packs them; None is what is not known."""
    made = []
    for i, (domain, label) in enumerate(zip(domains, labels, strict=True)):
        sample = DataSample(metainfo={"img_path": f"images/{i}.png", "domain": domain})
        targets = {} if label is None else {"malignant": float(label)}
        sample.set_field(targets, "gt_targets", dtype=dict)
        made.append(sample)
    return made


def classifier(body: dict | None = None, adversary: dict | None = None, **settings: object):
    """Return a small model with the seed 0."""
    torch.manual_seed(0)
    return DomainAdversarialClassifier(
        backbone=SmallBody(**(body or {})),
        head=MaskedMultiTaskHead({"malignant": {"kind": "binary"}}, 8, hidden_channels=5),
        domain_head=DomainHead(**({"in_channels": 5, "hidden_channels": (4,)} | (adversary or {}))),
        **({"strength": 0.7} | settings),
    )


def batch(domains: Sequence[str]) -> tuple[Tensor, list[DataSample]]:
    """Return noise with a label for source images only."""
    torch.manual_seed(1)
    labels = [i % 2 if name == S else None for i, name in enumerate(domains)]
    return torch.randn(len(domains), 6, 2, 2), samples(domains, labels)


def learn() -> dict[str, Tensor]:
    """Return gradients and results of every kind of model and batch, each process its part."""
    results = {}
    for name, domains in BATCHES.items():
        for passes in ("joint", "separate"):
            for average in ("domains", "samples"):
                model = classifier(adversary={"average": average}, forward_passes=passes)
                found = _learn(model, domains)
                results |= {f"{name}.{passes}.{average}.{key}": v for key, v in found.items()}
    model = classifier(adversary={"in_channels": 8}, embedding="neck")
    results |= {f"neck.{key}": value for key, value in _learn(model, BATCHES["apart"]).items()}
    return results


def _learn(model: DomainAdversarialClassifier, domains: Sequence[str]) -> dict[str, Tensor]:
    inputs, data_samples = batch(domains)
    trained: nn.Module = model
    if is_initialized():
        trained = DistributedDataParallel(model)
        mine = slice(3 * get_rank(), 3 * get_rank() + 3)
        inputs, data_samples = inputs[mine], data_samples[mine]
    # A second step fails if the first one left a parameter without its gradient.
    for _ in range(2):
        model.zero_grad()
        losses = trained(inputs, data_samples, mode="loss")
        torch.stack([value for name, value in losses.items() if "loss" in name]).sum().backward()
    results = {f"result.{name}": value.detach() for name, value in losses.items()}
    return results | {name: parameter.grad for name, parameter in model.named_parameters()}
