"""Hidden layers between pooled features and the head."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class HiddenLayersNeck(BaseModule):
    """Batch norm, then blocks of a linear layer, ReLU, batch norm and dropout.

    After a pooling neck; the head takes the last width::

        neck=[
            dict(type="CatAvgMaxPoolingNeck"),
            dict(type="HiddenLayersNeck", in_channels=3584, hidden_channels=(512, 128)),
        ],
        head=dict(type="MaskedMultiTaskHead", in_channels=128, ...),

    Batch norm after each block makes the shift of a linear layer void, so these have none. With few
    images in a batch, or accumulated gradients, ``norm=False`` leaves batch norm out and
    gives the layers their shift.

    Shapes:
        Tuple of features, the last one ``(N, C)``, to a tuple of one ``(N, hidden_channels[-1])``.

    Args:
        in_channels: C.
        hidden_channels: Widths of the hidden layers, from first to last.
        drop_rate: Dropout at the end of each block, in [0, 1).
        norm: Whether there are batch norms.
        init_cfg: Initialisation; Kaiming for ReLU unless given.

    Raises:
        ValueError: If there is no hidden layer, or the dropout is no probability.

    References:
        System D: 512 and 128 with a dropout of 0.4 on an EfficientNet-B4.

    Example:
        >>> import torch
        >>> neck = HiddenLayersNeck(8, (4, 2))
        >>> neck((torch.rand(3, 8),))[0].shape
        torch.Size([3, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: Sequence[int] = (512, 128),
        drop_rate: float = 0.4,
        *,
        norm: bool = True,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(
            init_cfg or {"type": "Kaiming", "layer": "Linear", "mode": "fan_in", "bias": 0}
        )
        widths = [in_channels, *hidden_channels]
        if len(widths) < 2 or min(widths) < 1 or not 0 <= drop_rate < 1:
            raise ValueError(
                "HiddenLayersNeck: hidden_channels must be widths of at least one layer and "
                f"drop_rate lie in [0, 1), got {tuple(hidden_channels)} and {drop_rate}"
            )
        layers: list[nn.Module] = [nn.BatchNorm1d(in_channels)] if norm else []
        for into, out in pairwise(widths):
            layers += [nn.Linear(into, out, bias=not norm), nn.ReLU(inplace=True)]
            layers += [nn.BatchNorm1d(out)] if norm else []
            layers += [nn.Dropout(drop_rate)]
        self.layers = nn.Sequential(*layers)

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the last hidden features of each image."""
        x = feats[-1] if isinstance(feats, tuple) else feats
        return (self.layers(x),)
