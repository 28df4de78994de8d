"""Test-time training of the batch norms by the entropy of the predictions (TENT)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.model import BaseTTAModel
from mmpretrain.registry import OPTIMIZERS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mammography.engine.norm_statistics import BatchStatistics
from mammography.functional.batch_norm import normalize_by_batch
from mammography.functional.distributed import sum_over_processes
from mammography.functional.entropy import logit_entropy, probability_entropy
from mammography.terms import TaskKind


class EntropyMinimization(BatchStatistics):
    """Batch statistics, and scales and shifts that learn from each batch after its prediction.

    The layers use copies of their weight and bias, shared as the originals are, which
    :meth:`update` trains; the originals, whether they train or are frozen, stay as they are.
    Different from the published code the model stays in evaluation mode, so that dropout
    is off.

    Args:
        model: The model in eval mode, without the wrapper for several processes.
        optimizer: Config of the optimizer, without parameters.

    Attributes:
        copies: The copy of each original parameter.

    Raises:
        ValueError: If the model has no batch norm with weight and bias.

    References:
        Wang et al. 2021, arXiv:2006.10726, section 3.
    """

    def __init__(self, model: nn.Module, optimizer: dict[str, Any]) -> None:
        super().__init__(model)
        self.model = model
        owned = [p for layer in self.layers.values() for p in layer.parameters(recurse=False)]
        self.copies = {p: nn.Parameter(p.detach().clone()) for p in owned}
        if not self.copies:
            raise ValueError(
                "EntropyMinimization: batch norms must have a weight and a bias to train, got "
                "none with affine=True"
            )
        self.optimizer = OPTIMIZERS.build({**optimizer, "params": list(self.copies.values())})

    def normalize(self, name: str, layer: _BatchNorm, values: Tensor) -> Tensor:
        """Normalise with the moments of the batch and the copies."""
        weight, bias = (self.copies.get(p) for p in (layer.weight, layer.bias))
        counted = self.counted_rows(values)
        return normalize_by_batch(values, weight, bias, layer.eps, counted)[0]

    def update(self, data: Any) -> float:
        """Take one step on a batch that was predicted before.

        A forward pass of its own, with gradient and in full precision (a gradient of an entropy
        is small): predictions that hold their graphs would fill the memory until the end of the
        test. It costs about two more passes.

        Args:
            data: The batch, as of the loader.

        Returns:
            The mean entropy in nats before the step, of all processes.
        """
        parameters = list(self.copies.values())
        with torch.enable_grad(), _frozen(self.model):
            entropies = self._entropies(data)
            counted = self.share.counted if self.share else [True] * len(entropies)
            mine = entropies[torch.tensor(counted, device=entropies.device)]
            total = sum_over_processes(mine.detach().new_tensor(len(mine)))
            loss = mine.sum() / total
            gradients = torch.autograd.grad(loss, parameters, materialize_grads=True)
        # Each process has its part of the mean, so the parts add up to its gradient.
        flat = sum_over_processes(torch.cat([g.flatten() for g in (*gradients, loss.detach())]))
        parts = torch.split(flat[:-1], [p.numel() for p in parameters])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        self.optimizer.step()
        return float(flat[-1])

    def _entropies(self, data: Any) -> Tensor:
        """Return the entropy of each image, the mean over its augmented versions if any."""
        if not isinstance(self.model, BaseTTAModel):
            return _predict_entropy(self.model, data)
        number = len(next(iter(data.values())))
        versions = ({key: each[i] for key, each in data.items()} for i in range(number))
        inner = self.model.module
        return torch.stack([_predict_entropy(inner, version) for version in versions]).mean(0)


def _predict_entropy(model: Any, data: Any) -> Tensor:
    inputs = model.data_preprocessor(data, False)
    return mean_entropy(model(**inputs, mode="tensor"), getattr(model, "head", None))


def mean_entropy(outputs: Any, head: Any = None) -> Tensor:
    """Return the entropy of each image, the mean over the tasks that tell classes apart.

    Ordered classes count with the entropy of their class probabilities. A regression
    predicts a number and no distribution: it is left out.

    Shapes:
        Logits ``(N, K)``, or ``(N, 1)`` of yes or no, by task or of one; returns ``(N,)``.

    Args:
        outputs: Logits, or a dict of them by task.
        head: What made them. If it has ``layers`` by task as ``MaskedMultiTaskHead`` does, they
            say what kind the tasks are of.

    Raises:
        ValueError: If there are no logits, or of no task that tells classes apart.
    """
    by_task = outputs if isinstance(outputs, Mapping) else {"": outputs}
    layers = getattr(head, "layers", {})
    layers = layers if isinstance(layers, Mapping) else {}
    entropies = []
    for name, logits in by_task.items():
        if not isinstance(logits, Tensor) or logits.ndim not in (1, 2):
            raise ValueError(
                "entropy minimisation needs logits of shape (N, K) from mode='tensor', got "
                f"{getattr(logits, 'shape', type(logits).__name__)}"
            )
        kind = layers[name].task.kind if name in layers else None
        if kind is TaskKind.ORDINAL:
            entropies.append(probability_entropy(layers[name].scores(logits)))
        elif kind is not TaskKind.REGRESSION:
            entropies.append(logit_entropy(logits))
    if not entropies:
        raise ValueError(
            "entropy minimisation needs a task that tells classes apart, got "
            f"{', '.join(by_task) or 'none'}: choose other statistics"
        )
    return torch.stack(entropies).mean(0)


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Keep gradients, and the activations they need, to what is trained here."""
    flags = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        for parameter in flags:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter, flag in flags.items():
            parameter.requires_grad_(flag)
