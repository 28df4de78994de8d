"""A classifier whose features a second head cannot tell the hospital from."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mammography.functional.distributed import count_processes
from mammography.functional.gradient_reversal import reverse_gradient
from mammography.models.heads.domain_head import DomainHead
from mammography.models.layers.domain_batch_norm import batch_domains

Passes = Literal["joint", "separate"]
Embedding = Literal["head", "neck"]
Features = tuple[Tensor, ...]


@MODELS.register_module()
class DomainAdversarialClassifier(ImageClassifier):
    """Learn classes from labelled source images and likeness of domains from all images.

    The head learns from source images only; labels of other images are never read. The
    domain head learns to tell domains apart by the embedding, and its gradient is reversed
    on the way into the network. Batches must hold images of both domains; an image tells
    its own as metainfo ``domain`` (``MammographyDataset(domain="source")``).

    In everything but the loss it is MMPreTrain's :class:`ImageClassifier`: the domain head
    takes no part in features and predictions. Weights: a checkpoint is tested and resumed
    with the config it was trained with. To start from a classifier without a domain head,
    or to give the weights of this one to such a classifier, use
    ``dict(type="LoadPretrainedHook", checkpoint=..., module="", allow=("domain_head.*",))``.

    With several processes the gradient is that of one process with the whole batch (but for
    batch norm that is not synchronised), also when some processes have no source image. This
    needs a head that takes an empty batch, as :class:`MaskedMultiTaskHead` does;
    ``find_unused_parameters`` is not needed.

    Args:
        domain_head: Config of a :class:`DomainHead`.
        source: The domain whose labels are learned.
        forward_passes: ``joint``: one forward pass, in which batch norm mixes the domains;
            ``separate``: one per domain, in the order of the domain head: each domain is
            normalised by its own statistics, and the running averages move once per domain,
            so that they follow both, the last one a little more. Norms of
            ``norm_cfg=dict(type="DomainBN")`` keep the domains apart in one pass, each with
            averages of its own (a test then says which with ``DomainNormHook``).
        embedding: What the domain head sees: ``head``: what enters the task layers
            (``head.pre_logits``, with its dropout); ``neck``: the last features before the
            head.
        strength: Factor of the reversed gradient, >= 0. None leaves it to
            :class:`~mammography.engine.hooks.adversarial_strength_hook.AdversarialStrengthHook`.
        **settings: ``backbone``, ``neck``, ``head``, ``data_preprocessor`` ... as in
            :class:`mmpretrain.models.ImageClassifier`.

    Raises:
        ValueError: If an argument is none of those above, or ``head`` has no
            ``pre_logits`` that ``embedding`` asks for.

    References:
        Ganin et al. 2016, arXiv:1505.07818.

    Example:
        >>> import mammography.models.heads.masked_multi_task_head
        >>> config = dict(
        ...     type="DomainAdversarialClassifier",
        ...     backbone=dict(type="mmpretrain.ResNet", depth=18, in_channels=1),
        ...     neck=dict(type="mmpretrain.GlobalAveragePooling"),
        ...     head=dict(
        ...         type="MaskedMultiTaskHead",
        ...         tasks=dict(malignant=dict(kind="binary")),
        ...         in_channels=512,
        ...     ),
        ...     domain_head=dict(type="DomainHead", in_channels=512),
        ... )
        >>> MODELS.build(config).domain_head.domains
        ('source', 'target')
    """

    def __init__(
        self,
        *,
        domain_head: dict[str, Any] | DomainHead,
        source: str = "source",
        forward_passes: Passes = "joint",
        embedding: Embedding = "head",
        strength: float | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.domain_head: DomainHead = (
            domain_head if isinstance(domain_head, DomainHead) else MODELS.build(domain_head)
        )
        self.source = source
        self.forward_passes = forward_passes
        self.embedding = embedding
        self.strength = strength
        self._check()

    def _check(self) -> None:
        place, domains = type(self).__name__, self.domain_head.domains
        if self.source not in domains:
            raise ValueError(
                f"{place}: source must be one of domain_head.domains ({', '.join(domains)}), "
                f"got {self.source!r}"
            )
        for name, known in (("forward_passes", Passes), ("embedding", Embedding)):
            if getattr(self, name) not in get_args(known):
                raise ValueError(
                    f"{place}: {name} must be one of {', '.join(get_args(known))}, "
                    f"got {getattr(self, name)!r}"
                )
        if self.strength is not None and self.strength < 0:
            raise ValueError(f"{place}: strength must be >= 0, got {self.strength}")
        needs = "loss" if self.embedding == "neck" else "pre_logits"
        if not hasattr(self.head, needs):
            raise ValueError(
                f"{place}: head must have {needs} for embedding={self.embedding!r}, "
                f"got {type(self.head).__name__}"
            )

    def loss(self, inputs: Tensor, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the losses of the head on source images, and those of the domain head on all.

        Raises:
            ValueError: If an image tells no domain, or the strength was never set.
        """
        if self.strength is None:
            raise ValueError(
                "DomainAdversarialClassifier: strength must be set, got None: add "
                'dict(type="AdversarialStrengthHook") to custom_hooks, or give the model a number'
            )
        domains = self.domain_head.domains_of(data_samples)
        feats = self._extract(inputs, domains)
        embedding = reverse_gradient(self._embed(feats), self.strength)
        rows = _rows_of(self.source, domains)
        losses = self.head.loss(_select(feats, rows), [data_samples[row] for row in rows])
        adversary = self.domain_head.loss(embedding, domains)
        if shared := losses.keys() & adversary.keys():
            raise ValueError(
                "DomainAdversarialClassifier: no task must be named like a result of the "
                f"domain head, got {', '.join(sorted(shared))}"
            )
        return {**losses, **adversary}

    def _extract(self, inputs: Tensor, domains: list[str]) -> Features:
        """Return the features of all images, in the order of the batch."""
        if self.forward_passes == "joint":
            return self._forward(inputs, domains)
        rows = {name: _rows_of(name, domains) for name in self.domain_head.domains}
        self._check_presence(rows)
        present = {name: chosen for name, chosen in rows.items() if chosen}
        parts = [
            self._forward(inputs[chosen], [name] * len(chosen)) for name, chosen in present.items()
        ]
        order = torch.tensor([row for chosen in present.values() for row in chosen])
        back = order.argsort().to(inputs.device)
        return tuple(torch.cat(level)[back] for level in zip(*parts, strict=True))

    def _forward(self, inputs: Tensor, domains: list[str]) -> Features:
        with batch_domains(domains):
            feats: Features = self.extract_feat(inputs)
        return feats

    def _check_presence(self, rows: dict[str, list[int]]) -> None:
        """Refuse passes in which processes would wait for each other's statistics for ever."""
        absent = [name for name, chosen in rows.items() if not chosen]
        if (
            absent
            and count_processes() > 1
            and any(isinstance(module, nn.SyncBatchNorm) for module in self.modules())
        ):
            raise ValueError(
                "DomainAdversarialClassifier: with SyncBN and forward_passes='separate' the batch "
                f"of every process must hold every domain, got none of {', '.join(absent)}: "
                "draw batches with a sampler that balances domains"
            )

    def _embed(self, feats: Features) -> Tensor:
        """Return what the domain head sees, ``(N, C)``."""
        embedding: Tensor = self.head.pre_logits(feats) if self.embedding == "head" else feats[-1]
        if embedding.ndim != 2:
            raise ValueError(
                "DomainAdversarialClassifier: the embedding must be of shape (N, C), got "
                f"{tuple(embedding.shape)} from the {self.embedding}: add a pooling neck"
            )
        return embedding


def _rows_of(name: str, domains: Sequence[str]) -> list[int]:
    return [row for row, domain in enumerate(domains) if domain == name]


def _select(feats: Features, rows: list[int]) -> Features:
    """Return the features of some rows, maybe of none."""
    index = torch.tensor(rows, dtype=torch.long, device=feats[-1].device)
    return tuple(level[index] for level in feats)
