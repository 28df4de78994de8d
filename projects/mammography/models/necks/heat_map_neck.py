"""The classes of all places of an image, as a patch network sees them, and what follows."""

from collections.abc import Sequence

import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class HeatMapNeck(BaseModule):
    """Apply the last layer of a patch network everywhere; judge the image by its maxima.

    The head of the end2end classifier with a heat map: the average over windows of the map,
    which is what a patch of that size was pooled to; the linear layer of the patch
    network at each place, with ReLU; the maxima of larger windows; and fully connected
    layers on them. The linear layer is ``classifier``, in names and shapes that of the patch
    network, which it can start from::

        dict(
            type="LoadPretrainedHook",
            checkpoint=patch_checkpoint,
            module="neck.classifier",
            prefix="state_dict.head.outcomes.lesion.linear.",
        )

    Shapes:
        Map or tuple of maps, the last one ``(N, in_channels, *map_hw)``, to a tuple of one
        ``(N, C)``: C is the last of ``hidden_channels``, with ``shortcut`` plus the
        maxima of all classes.

    Args:
        in_channels: Channels of the patch network's map.
        map_hw: Its size for a whole image: 36 x 28 for one of 1152 x 896 at stride 32.
        num_classes: Of the patch network.
        window: Side of a patch in places of the map: 7 for 224 pixels at stride 32.
        pool: Side and stride of the windows whose maxima go on.
        hidden_channels: Widths of the fully connected layers, each with batch norm and ReLU;
            none means the maxima themselves.
        shortcut: Whether the maxima also pass by the fully connected layers.
        drop_rate: Dropout before each fully connected layer.
        init_cfg: Initialisation; truncated normal (0.02) unless given.

    Raises:
        ValueError: If the map is too small for the windows, here or when images come.

    References:
        Shen et al. 2019, Scientific Reports 9:12495 (heat map and fully connected layers).

    Example:
        >>> neck = HeatMapNeck(in_channels=16, map_hw=(36, 28), shortcut=True)
        >>> neck((torch.rand(2, 16, 36, 28),))[0].shape
        torch.Size([2, 152])
    """

    def __init__(
        self,
        in_channels: int = 2048,
        map_hw: Sequence[int] = (36, 28),
        num_classes: int = 5,
        window: int = 7,
        pool: int = 5,
        hidden_channels: Sequence[int] = (64, 32),
        shortcut: bool = False,
        drop_rate: float = 0.0,
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        super().__init__(init_cfg or {"type": "TruncNormal", "layer": "Linear", "std": 0.02})
        self.map_hw = tuple(map_hw)
        pooled = [(side - window + 1) // pool for side in self.map_hw]
        if min(pooled) < 1:
            raise ValueError(
                f"HeatMapNeck: map_hw must hold a window of {window} and {pool} of its places, "
                f"got {self.map_hw}"
            )
        self.average = nn.AvgPool2d(window, stride=1)
        self.classifier = nn.Linear(in_channels, num_classes)
        self.maximum = nn.MaxPool2d(pool)
        self.shortcut = shortcut
        widths = [num_classes * pooled[0] * pooled[1], *hidden_channels]
        self.connected = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Dropout(drop_rate), nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(inplace=True)
                )
                for a, b in zip(widths, hidden_channels, strict=False)
            )
        )

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the vector of each image."""
        x = feats[-1] if isinstance(feats, tuple) else feats
        if tuple(x.shape[2:]) != self.map_hw:
            raise ValueError(
                f"HeatMapNeck: maps must be of map_hw={self.map_hw}, got {tuple(x.shape[2:])}: "
                "its fully connected layers take images of one size"
            )
        places = self.classifier(self.average(x).permute(0, 2, 3, 1)).relu()
        maxima = self.maximum(places.permute(0, 3, 1, 2)).flatten(1)
        out = self.connected(maxima)
        return (torch.cat([out, maxima], dim=1) if self.shortcut else out,)
