"""Which domain an image is from: the adversary of domain-adversarial training."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mammography.functional.distributed import count_processes, sum_over_processes
from mammography.functional.multi_task_loss import mean_over_processes

Average = Literal["domains", "samples"]


@MODELS.register_module()
class DomainHead(BaseModule):
    """Perceptron that tells domains apart by an embedding.

    The loss is the cross-entropy of a softmax over the domains (for two domains the same
    number as the published binary cross-entropy on both outputs). It is the mean over the
    samples of all processes together, as in :class:`MaskedMultiTaskHead`. A domain that is
    absent adds nothing, so a batch of one domain is no fault.

    Shapes:
        Embedding ``(N, C)``; logits ``(N, domains)``.

    Args:
        in_channels: C.
        hidden_channels: Width of the layers in between, each followed by ReLU; the
            published ones on C = 768 by default.
        domains: Names of the domains, in the order of the outputs.
        bias: Whether the layers have one; the published ones have none.
        loss_weight: Factor on the loss. Unlike the strength of the reversal it also
            changes what the head itself learns.
        average: ``domains``: each domain has the same share of the loss, however many
            samples it has (``(source + target) / 2``); ``samples``: each sample has.
        init_cfg: Initialisation; PyTorch's of linear layers unless given.

    Raises:
        ValueError: If there are not two different domains at least, ``loss_weight`` is
            negative or ``average`` unknown.

    References:
        Ganin et al. 2016, arXiv:1505.07818; the layers are those of DoSReMC, 2025,
        arXiv:2508.15452.

    Example:
        >>> head = DomainHead(in_channels=768)
        >>> head(torch.rand(4, 768)).shape
        torch.Size([4, 2])
        >>> sorted(head.loss(torch.rand(2, 768), ["source", "target"]))
        ['domain_accuracy', 'domain_loss']
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int] = (256, 128),
        domains: Sequence[str] = ("source", "target"),
        *,
        bias: bool = False,
        loss_weight: float = 1.0,
        average: Average = "domains",
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if isinstance(domains, str) or len(set(domains)) < max(2, len(domains)):
            raise ValueError(
                f"DomainHead: domains must be two different names at least, got {domains!r}"
            )
        if loss_weight < 0 or average not in get_args(Average):
            raise ValueError(
                "DomainHead: loss_weight must be >= 0 and average 'domains' or 'samples', "
                f"got {loss_weight} and {average!r}"
            )
        self.domains = tuple(domains)
        self.loss_weight = loss_weight
        self.average = average
        widths = (in_channels, *hidden_channels)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after, bias=bias), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], len(self.domains), bias=bias))

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the logits of the domains, in the precision of the weights.

        The two players balance on small differences, which half precision would lose, and
        the layers cost next to nothing.
        """
        embedding = embedding.to(next(self.layers.parameters()).dtype)
        with torch.autocast(embedding.device.type, enabled=False):
            logits: Tensor = self.layers(embedding)
        return logits

    def domains_of(self, data_samples: Sequence[DataSample]) -> list[str]:
        """Return the domain of each sample.

        Raises:
            ValueError: If a sample has none, or one that the head does not know; the
                message names the image.
        """
        names = []
        for row, sample in enumerate(data_samples):
            name = sample.get("domain")
            if name not in self.domains:
                image = sample.get("img_path", f"sample {row} of the batch")
                raise ValueError(
                    f"{image}: domain must be one of {', '.join(self.domains)}, got {name}: give "
                    "MammographyDataset its domain, or correct domain_head.domains"
                )
            names.append(name)
        return names

    def loss(self, embedding: Tensor, domains: Sequence[str]) -> dict[str, Tensor]:
        """Return ``domain_loss`` and ``domain_accuracy``.

        The accuracy is the mean over the domains that are there of the share of their
        samples, on all processes, that is recognised: at chance it is 1 / domains.

        Args:
            embedding: One row per sample, behind the gradient reversal.
            domains: Domain of each sample.
        """
        logits = self(embedding)
        labels = torch.tensor([self.domains.index(name) for name in domains], device=logits.device)
        losses = F.cross_entropy(logits, labels, reduction="none")
        of_domain = F.one_hot(labels, len(self.domains)).to(losses.dtype)
        right = (logits.argmax(dim=1) == labels).to(losses.dtype)
        counts, rights = sum_over_processes(torch.stack([of_domain.sum(0), right @ of_domain]))
        of_each = counts.clamp(min=1)
        if self.average == "domains":
            weights, total = 1 / of_each, torch.full_like(counts.sum(), len(counts))
        else:
            weights, total = torch.ones_like(counts), counts.sum()
        loss = mean_over_processes(losses * weights[labels], total, count_processes())
        accuracy = (rights / of_each).sum() / (counts > 0).sum()
        return {"domain_loss": loss * self.loss_weight, "domain_accuracy": accuracy}
