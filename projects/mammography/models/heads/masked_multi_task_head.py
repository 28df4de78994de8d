"""One head for any mix of outcomes, with missing labels, on any number of processes."""

import re
from typing import Any, cast

import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mammography.functional.distributed import count_processes, sum_over_processes
from mammography.functional.multi_task_loss import mean_over_processes, uncertainty_weighted
from mammography.models.heads.outcome_layer import OutcomeLayer
from mammography.models.heads.outcome_layers import build_outcome_layer
from mammography.terms import TaskKind

Features = tuple[Tensor, ...]


@MODELS.register_module()
class MaskedMultiTaskHead(BaseModule):
    """A linear layer per outcome on shared features.

    A sample teaches only the tasks that it has a label for. The loss of a task is the
    mean over its labels on all processes together: the gradient of data-parallel
    training equals that of one process with the whole batch, also when a process has
    no label of a task. (With gradient accumulation the mean is that of each step.)

    Shapes:
        Tuple of features, the last one ``(N, C)``.

    Args:
        tasks: Name to ``kind`` (``binary``, ``multiclass``, ``ordinal``, ``regression``),
            ``num_classes`` (multiclass, ordinal), ``loss_weight`` (1.0), and what
            the layer of the kind offers: ``loss`` and its settings, ``label_smoothing``,
            ``attenuation`` (:class:`~mammography.models.heads.binary_layer.BinaryLayer`,
            :class:`~mammography.models.heads.multiclass_layer.MulticlassLayer`), ``method``,
            ``beta`` (:mod:`~mammography.models.heads.outcome_layers`).
        in_channels: C.
        hidden_channels: Width of one hidden layer that all tasks share, if any.
        drop_rate: Dropout of what enters the task layers.
        learned_weights: Weigh the tasks by learned uncertainty (Kendall et al. 2018)
            on top of ``loss_weight``.
        init_cfg: Initialisation; truncated normal (0.02) unless given.

    Raises:
        ValueError: If there is no task or one is not well described.

    Example:
        >>> density = {"kind": "ordinal", "num_classes": 4}
        >>> tasks = {"malignant": {"kind": "binary"}, "density": density}
        >>> head = MaskedMultiTaskHead(tasks, in_channels=8)
        >>> {name: tuple(x.shape) for name, x in head((torch.rand(2, 8),)).items()}
        {'malignant': (2, 1), 'density': (2, 3)}
    """

    def __init__(
        self,
        tasks: dict[str, dict[str, Any]],
        in_channels: int,
        hidden_channels: int | None = None,
        drop_rate: float = 0.0,
        *,
        learned_weights: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(init_cfg or {"type": "TruncNormal", "layer": "Linear", "std": 0.02})
        _check_names(tasks)
        self.hidden: nn.Module = nn.Identity()
        if hidden_channels is not None:
            self.hidden = nn.Sequential(nn.Linear(in_channels, hidden_channels), nn.ReLU())
            in_channels = hidden_channels
        self.drop = nn.Dropout(drop_rate)
        options = {name: dict(spec) for name, spec in tasks.items()}
        self.loss_weights = {name: spec.pop("loss_weight", 1.0) for name, spec in options.items()}
        self.outcomes = nn.ModuleDict(
            {name: build_outcome_layer(name, in_channels, **spec) for name, spec in options.items()}
        )
        self.log_variances = (
            nn.ParameterDict({name: torch.zeros(()) for name in tasks}) if learned_weights else None
        )

    @property
    def layers(self) -> dict[str, OutcomeLayer]:
        """The last layer of each task."""
        return cast("dict[str, OutcomeLayer]", dict(self.outcomes.items()))

    def pre_logits(self, feats: Features) -> Tensor:
        """Return the embedding that enters the task layers, ``(N, C)``."""
        out: Tensor = self.drop(self.hidden(feats[-1]))
        return out

    def forward(self, feats: Features) -> dict[str, Tensor]:
        """Return the logits of each task, ``(N, K)``, without what else the layers learn."""
        outputs = self._outputs(self.pre_logits(feats))
        return {name: layer.logits(outputs[name]) for name, layer in self.layers.items()}

    def _outputs(self, features: Tensor) -> dict[str, Tensor]:
        """Apply the task layers in the precision of their weights, not in that of autocast.

        bfloat16 knows 37 and 37.25 mm and nothing between, and makes equal probabilities of
        many that differ.
        """
        features = features.to(next(self.outcomes.parameters()).dtype)
        with torch.autocast(features.device.type, enabled=False):
            return {name: layer(features).float() for name, layer in self.layers.items()}

    def loss(self, feats: Features, data_samples: list[DataSample]) -> dict[str, Tensor]:
        """Return ``<task>_loss``, and ``<task>_labels``: the labels it is the mean of.

        Raises:
            ValueError: If a sample has no ``gt_targets`` or a label that its task
                cannot take; the message names the image.
        """
        outputs = self._outputs(self.pre_logits(feats))
        parts = {
            name: self._local_losses(layer, outputs[name], data_samples)
            for name, layer in self.layers.items()
        }
        # One exchange for all tasks, which every process takes part in at each step.
        sums = [torch.stack([w.sum(), w.new_tensor(len(w))]) for _, w in parts.values()]
        totals = sum_over_processes(torch.stack(sums))
        losses = {}
        for (name, (local, _)), (total, count) in zip(parts.items(), totals, strict=True):
            loss = mean_over_processes(local, total, count_processes())
            if self.log_variances is not None:
                regression = self.layers[name].task.kind is TaskKind.REGRESSION
                observed = (count > 0).to(loss.dtype)
                loss = uncertainty_weighted(
                    loss, self.log_variances[name], observed, regression=regression
                )
            losses[f"{name}_loss"] = loss * self.loss_weights[name]
            losses[f"{name}_labels"] = count
        return losses

    def _local_losses(
        self, layer: OutcomeLayer, outputs: Tensor, data_samples: list[DataSample]
    ) -> tuple[Tensor, Tensor]:
        """Return the losses of the samples with a label and their weights."""
        rows, labels = [], []
        for row, sample in enumerate(data_samples):
            targets = _targets(sample, row)
            if layer.task.name in targets:
                rows.append(row)
                labels.append(_checked(layer, targets[layer.task.name], sample, row))
        # Rows without a label are left out, not multiplied by zero: 0 * nan is nan.
        observed = outputs[torch.tensor(rows, dtype=torch.long, device=outputs.device)]
        return layer.losses(observed, observed.new_tensor(labels))

    def predict(
        self, feats: Features, data_samples: list[DataSample | None] | None = None
    ) -> list[DataSample]:
        """Return the samples with ``pred_scores``, ``pred_features`` and ``pred_uncertainty``.

        Binary: the probability of class 1. Multiclass, ordinal: the list of class
        probabilities. Regression: the value. Uncertainty, where a task learns it: see
        :class:`~mammography.structures.prediction.PredictionRecord`.
        """
        features = self.pre_logits(feats)
        outputs = self._outputs(features)
        scores = {name: layer.scores(outputs[name]).tolist() for name, layer in self.layers.items()}
        doubts = {name: layer.uncertainty(outputs[name]) for name, layer in self.layers.items()}
        given = data_samples or [None] * len(features)
        samples = [DataSample() if sample is None else sample for sample in given]
        for row, sample in enumerate(samples):
            pred = {name: values[row] for name, values in scores.items()}
            sample.set_field(pred, "pred_scores", dtype=dict)
            unsure = {
                name: {part: values[row].item() for part, values in parts.items()}
                for name, parts in doubts.items()
                if parts
            }
            if unsure:
                sample.set_field(unsure, "pred_uncertainty", dtype=dict)
            sample.set_field(features[row].float(), "pred_features", dtype=Tensor)
        return samples


def _check_names(tasks: dict[str, dict[str, Any]]) -> None:
    if not tasks:
        raise ValueError("MaskedMultiTaskHead: tasks must name at least one outcome, got none")
    for name in tasks:
        # MMEngine sums whatever has "loss" in its name, the count of labels as well;
        # PyTorch keeps a layer only under a name that is no attribute of its container.
        if "loss" in name or not re.fullmatch(r"\w+", name) or hasattr(nn.ModuleDict(), name):
            raise ValueError(
                "MaskedMultiTaskHead: the name of a task must be a word without 'loss' that "
                f"PyTorch's ModuleDict does not use itself, got {name!r}"
            )


def _name(sample: DataSample, row: int) -> str:
    return str(sample.get("img_path", f"sample {row} of the batch"))


def _targets(sample: DataSample, row: int) -> dict[str, float]:
    targets: dict[str, float] | None = sample.get("gt_targets")
    if targets is None:
        raise ValueError(
            f"{_name(sample, row)}: a sample must carry gt_targets, a dict of labels: "
            "pack it with PackMammogram"
        )
    return targets


def _checked(layer: OutcomeLayer, label: float, sample: DataSample, row: int) -> float:
    try:
        return layer.task.check(label)
    except ValueError as error:
        raise ValueError(f"{_name(sample, row)}: {error}") from error
