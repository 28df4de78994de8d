"""What the whole image says, what its crops say, and what both say together."""

from typing import Any, Literal, get_args

import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mammography.functional.distributed import count_processes, sum_over_processes
from mammography.functional.multi_task_loss import mean_over_processes
from mammography.functional.saliency import scale_to_unit, top_fraction_logits
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.models.layers.gated_attention import GatedAttention
from mammography.terms import TaskKind

Features = tuple[Tensor, ...]
Reduction = Literal["sum", "mean"]
Scaling = Literal["raw", "min_max"]


@MODELS.register_module()
class GloballyAwareHead(MaskedMultiTaskHead):
    """Three classifiers of binary tasks on a :class:`GloballyAwareBackbone`.

    ``global``: the mean of the most salient pixels of each task's map. ``local``: a linear
    layer without bias on the crops, pooled by gated attention. ``fusion``: a linear layer
    per task on the global maxima and the pooled crops together; it is what is predicted.
    Each learns by the mean over tasks of the binary cross-entropy, and the saliency pays
    for what it marks by its L1 norm.

    As in the parent, a sample teaches only the tasks that it has a label for, and the
    gradient on several processes is that of one with the whole batch.

    The published loss takes the logarithm of probabilities, whose gradient is lost or
    clamped where they saturate, in half precision early. Here every branch is a logit, that
    of the mean probability included (:func:`top_fraction_logits`), in the precision of the
    weights: the same function without the clamp.

    Args:
        tasks: As in the parent, all ``binary``, in the order of the saliency maps.
        global_channels: Channels of the global features.
        local_channels: Channels of the features of a crop.
        attention_channels: Hidden channels of the attention.
        top_fraction: Share of the pixels of a map that count, in (0, 1].
        saliency_weight: Factor on the L1 norm, >= 0. The default is the first published
            one, ``10 ** -4.5``; the domain-shift study has 4.63e-4.
        saliency_reduction: ``sum``: the norm of all maps of the batch, as published. The
            penalty grows with the batch, while the other losses do not: a weight belongs
            to a batch size (over all processes). ``mean``: the norm of one image's maps,
            averaged over the batch; N times the weight gives the ``sum`` of a batch of N.
        saliency_scaling: ``raw``: of probabilities. ``min_max``: of maps scaled to [0, 1]
            each, as published with domain-adversarial training: it asks for few salient
            pixels rather than for low ones.
        keep_maps: ``predict`` adds the fields ``saliency`` (tasks, h, w: probabilities),
            ``crop_corners`` (K, 2) and ``crop_attention`` (K), for pictures.
        init_cfg: Initialisation; truncated normal (0.02) unless given.

    Raises:
        ValueError: If a task is not binary or an argument is out of its range; when it is
            used, if the saliency maps are not as many as the tasks.

    References:
        Shen et al. 2021, Medical Image Analysis 68:101908, arXiv:2002.07613. DoSReMC,
        2025, arXiv:2508.15452 (weight, min-max variant).

    Example:
        >>> binary = {"kind": "binary"}
        >>> head = GloballyAwareHead({"benign": binary, "malignant": binary})
        >>> maps, corners = torch.randn(3, 2, 46, 30), torch.zeros(3, 6, 2, dtype=torch.int64)
        >>> head.pre_logits((maps, corners, torch.rand(3, 6, 512), torch.rand(3, 256))).shape
        torch.Size([3, 768])
    """

    def __init__(
        self,
        tasks: dict[str, dict[str, Any]],
        global_channels: int = 256,
        local_channels: int = 512,
        attention_channels: int = 128,
        top_fraction: float = 0.02,
        *,
        saliency_weight: float = 10**-4.5,
        saliency_reduction: Reduction = "sum",
        saliency_scaling: Scaling = "raw",
        keep_maps: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(tasks, global_channels + local_channels, init_cfg=init_cfg)
        self.attention = GatedAttention(local_channels, attention_channels)
        self.local_classifier = nn.Linear(local_channels, len(tasks), bias=False)
        self.top_fraction = top_fraction
        self.saliency_weight = saliency_weight
        self.saliency_reduction = saliency_reduction
        self.saliency_scaling = saliency_scaling
        self.keep_maps = keep_maps
        self._check()

    def _check(self) -> None:
        for name, layer in self.layers.items():
            if layer.task.kind is not TaskKind.BINARY:
                raise ValueError(
                    f"GloballyAwareHead: task {name}: kind must be binary, got {layer.task.kind}"
                )
            if layer.linear.out_features != 1:
                raise ValueError(
                    f"GloballyAwareHead: task {name}: attenuation must be left out, its three "
                    "branches give one logit each and no variance"
                )
        if not 0 < self.top_fraction <= 1 or self.saliency_weight < 0:
            raise ValueError(
                "GloballyAwareHead: top_fraction must lie in (0, 1] and saliency_weight be >= 0, "
                f"got {self.top_fraction} and {self.saliency_weight}"
            )
        for name, known in (("saliency_reduction", Reduction), ("saliency_scaling", Scaling)):
            if getattr(self, name) not in get_args(known):
                raise ValueError(
                    f"GloballyAwareHead: {name} must be one of {', '.join(get_args(known))}, "
                    f"got {getattr(self, name)!r}"
                )

    def pool_crops(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Return the pooled features ``(N, D)`` and the weights ``(N, K)`` of the crops."""
        with torch.autocast(crops.device.type, enabled=False):
            pooled, weights = self.attention(crops.to(self.local_classifier.weight.dtype))
        return pooled, weights

    def pre_logits(self, feats: Features) -> Tensor:
        """Return the fused embedding, ``(N, global_channels + local_channels)``."""
        return self._fuse(feats, self.pool_crops(feats[2])[0])

    def _fuse(self, feats: Features, pooled: Tensor) -> Tensor:
        return torch.cat((feats[3].to(pooled.dtype), pooled), dim=1)

    def branch_logits(self, feats: Features) -> dict[str, Tensor]:
        """Return the logits ``(N, tasks)`` of ``global``, ``local`` and ``fusion``.

        Raises:
            ValueError: If the saliency maps are not as many as the tasks.
        """
        saliency, pooled = feats[0], self.pool_crops(feats[2])[0]
        if saliency.shape[1] != len(self.layers):
            raise ValueError(
                f"GloballyAwareHead: the backbone must give one saliency map for each of the "
                f"{len(self.layers)} tasks, got {saliency.shape[1]}: set backbone.num_classes"
            )
        fusion = self._outputs(self._fuse(feats, pooled))
        with torch.autocast(pooled.device.type, enabled=False):
            local = self.local_classifier(pooled).float()
        return {
            "global": top_fraction_logits(saliency.float(), self.top_fraction),
            "local": local,
            "fusion": torch.cat([fusion[name] for name in self.layers], dim=1),
        }

    def loss(self, feats: Features, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return the loss of each branch and of the saliency, and ``<task>_labels``.

        Raises:
            ValueError: If a sample has no ``gt_targets``, or a label that is not 0 or 1; the
                message names the image.
        """
        parts = {
            branch: [
                self._local_losses(layer, logits[:, [column]], data_samples)
                for column, layer in enumerate(self.layers.values())
            ]
            for branch, logits in self.branch_logits(feats).items()
        }
        norms = self._saliency_norms(feats[0])
        # One exchange for all, which every process takes part in at each step.
        counts = [weights.sum() for _, weights in parts["fusion"]]
        *totals, images = sum_over_processes(torch.stack([*counts, norms.new_tensor(len(norms))]))
        losses = {
            f"{branch}_loss": self._mean_over_tasks([part for part, _ in of_tasks], totals)
            for branch, of_tasks in parts.items()
        }
        # The sum is that of all processes once data-parallel training has averaged it.
        total = images if self.saliency_reduction == "mean" else torch.ones_like(images)
        penalty = mean_over_processes(norms, total, count_processes())
        losses["saliency_loss"] = penalty * self.saliency_weight
        return losses | {f"{name}_labels": n for name, n in zip(self.layers, totals, strict=True)}

    def _mean_over_tasks(self, parts: list[Tensor], totals: list[Tensor]) -> Tensor:
        """Return the mean over tasks, times their weights, of the mean over labels."""
        means = [
            mean_over_processes(part, total, count_processes()) * weight
            for part, total, weight in zip(parts, totals, self.loss_weights.values(), strict=True)
        ]
        return torch.stack(means).mean()

    def _saliency_norms(self, saliency: Tensor) -> Tensor:
        """Return the L1 norm of the maps of each image, ``(N,)``."""
        maps = saliency.float().sigmoid()
        if self.saliency_scaling == "min_max":
            maps = scale_to_unit(maps)
        return maps.flatten(1).sum(1)

    def predict(
        self, feats: Features, data_samples: list[DataSample | None] | None = None
    ) -> list[DataSample]:
        """Return the samples with ``pred_scores`` of the fusion and ``pred_features``.

        With ``keep_maps`` also with what the model looked at.
        """
        samples = super().predict(feats, data_samples)
        if self.keep_maps:
            attention = self.pool_crops(feats[2])[1].float()
            for row, sample in enumerate(samples):
                sample.set_field(feats[0][row].float().sigmoid(), "saliency", dtype=Tensor)
                sample.set_field(feats[1][row], "crop_corners", dtype=Tensor)
                sample.set_field(attention[row], "crop_attention", dtype=Tensor)
        return samples
