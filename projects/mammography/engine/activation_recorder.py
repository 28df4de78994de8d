"""Record what passes through the layers of a model, and leave no trace in it."""

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Self
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.instancenorm import _InstanceNorm

from mammography.engine.channel_summary import ChannelSummary

Arrays = dict[str, NDArray[Any]]

_CHANNELS_FIRST = (_BatchNorm, _InstanceNorm, nn.GroupNorm, _ConvNd)
OUTPUT, INPUT, GRADIENT = "", "input_", "gradient_"


class ActivationRecorder:
    """A context: inside it the layers are watched, outside it they are as they were.

    Outputs of the layers, and the gradients of the loss with respect to them, are summarised
    as they pass: exact moments per channel and a bounded sample. Of batch norms also the moments
    of what enters them, which their stored statistics are to describe. Neither outputs nor
    gradients nor random numbers change.

    Args:
        layers: The layers by name.
        max_values: Values to keep per channel, >= 1.
        gradients: Whether to record gradients, where there are any.
        seed: Of the choice of values.

    Attributes:
        gradient_scale: What the loss was multiplied by; gradients are given without it.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
        >>> recorder = ActivationRecorder({"1": model[1]}, max_values=5)
        >>> with recorder:
        ...     _ = model(torch.rand(4, 1, 8, 8))
        >>> recorder.arrays()["1/values"].shape, int(recorder.arrays()["1/count"])
        ((2, 5), 144)
    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        max_values: int = 1024,
        *,
        gradients: bool = False,
        seed: int = 0,
    ) -> None:
        self.layers, self.max_values = dict(layers), max_values
        self.gradients, self.seed = gradients, seed
        self.gradient_scale = 1.0
        self._summaries: dict[str, dict[str, ChannelSummary]] = {}
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        """Watch the layers."""
        for name, layer in self.layers.items():
            handle = layer.register_forward_hook(partial(self._record_call, name))
            self._undo.callback(handle.remove)
        return self

    def __exit__(self, *error: object) -> None:
        """Leave them alone."""
        self._undo.close()

    @property
    def seen(self) -> list[str]:
        """Names of the layers that something passed through, in the order of its first time."""
        return list(self._summaries)

    def arrays(self) -> Arrays:
        """Return what was recorded, named ``<layer>/<what>``.

        ``values`` (C, K) float32 of the output; ``count``, ``mean`` and ``variance`` (C,)
        float64 over all values, the variance unbiased; the same with ``input_`` for what entered
        a batch norm and ``gradient_`` for gradients, without ``input_values``;
        ``running_mean``, ``running_variance`` (C,) and ``eps`` where the layer has them.
        """
        return {
            f"{layer}/{what}": array
            for layer, summaries in self._summaries.items()
            for what, array in self._describe(layer, summaries).items()
        }

    def _describe(self, name: str, summaries: dict[str, ChannelSummary]) -> Arrays:
        found: Arrays = {}
        for kind, summary in summaries.items():
            scale = 1 / self.gradient_scale if kind == GRADIENT else 1.0
            scales = {"count": 1.0, "mean": scale, "variance": scale**2}
            for what, array in summary.describe().items():
                found[kind + what] = array * scales[what]
            if kind != INPUT:
                found[f"{kind}values"] = summary.values() * np.float32(scale)
        layer = self.layers[name]
        if isinstance(running := getattr(layer, "running_mean", None), Tensor):
            variance: Any = layer.running_var
            found["running_mean"] = running.double().cpu().numpy()
            found["running_variance"] = variance.double().cpu().numpy()
            found["eps"] = np.array(layer.eps, dtype=np.float64)
        return found

    def _record_call(
        self, name: str, layer: nn.Module, arguments: tuple[Any, ...], output: Any
    ) -> None:
        values = put_channels_second(name, layer, output)
        # In a backward pass a checkpointed layer repeats what was recorded in the forward pass.
        if torch._C._current_graph_task_id() == -1:
            self._add(name, OUTPUT, values)
            if isinstance(layer, _BatchNorm) and arguments:
                self._add(name, INPUT, arguments[0])
        if self.gradients and output.requires_grad:
            handle = output.register_hook(partial(self._record_gradient, name, layer))
            self._undo.callback(handle.remove)

    def _record_gradient(self, name: str, layer: nn.Module, gradient: Tensor) -> None:
        self._add(name, GRADIENT, put_channels_second(name, layer, gradient))

    def _add(self, name: str, kind: str, values: Tensor) -> None:
        summaries = self._summaries.setdefault(name, {})
        if kind not in summaries:
            seed = (self.seed, crc32(name.encode()))
            summaries[kind] = ChannelSummary(1 if kind == INPUT else self.max_values, seed)
        summaries[kind].add(values)


def put_channels_second(name: str, layer: nn.Module, output: Any) -> Tensor:
    """Return a view ``(N, C, ...)`` of what a layer gives.

    Linear layers, layer norms and whatever gives tokens ``(N, T, C)`` have them last, all
    else second: of a layer without channels of its own (GELU) that gives ``(N, H, W, C)``, H
    would be taken for them.

    Raises:
        ValueError: If it is no such tensor, or could be both.

    Example:
        >>> put_channels_second("fc", nn.Linear(2, 3), torch.zeros(5, 7, 3)).shape
        torch.Size([5, 3, 7])
    """
    if not isinstance(output, Tensor) or output.ndim < 2 or not output.is_floating_point():
        what = (
            f"{output.dtype} {tuple(output.shape)}"
            if isinstance(output, Tensor)
            else type(output).__name__
        )
        raise ValueError(
            f"{name}: what a recorded layer gives must be one tensor (N, C, ...) of real numbers, "
            f"got {what}: choose layers inside it"
        )
    if _has_channels_last(name, layer, output):
        return output.movedim(-1, 1)
    return output


def _has_channels_last(name: str, layer: nn.Module, output: Tensor) -> bool:
    if isinstance(layer, nn.LayerNorm) and type(layer) is not nn.LayerNorm:
        width = layer.normalized_shape[-1]  # MMPreTrain's LayerNorm2d does either
        last, second = output.shape[-1] == width, output.shape[1] == width
        if last and second and output.ndim > 2:
            raise ValueError(
                f"{name}: channels of {type(layer).__name__} must be second or last, "
                f"got {tuple(output.shape)}, which may be either: choose another layer"
            )
        return last
    if isinstance(layer, nn.Linear | nn.LayerNorm):
        return True
    return output.ndim == 3 and not isinstance(layer, _CHANNELS_FIRST)
