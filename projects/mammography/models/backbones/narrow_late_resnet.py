"""ResNet whose first stage is that of ResNet-50 and whose later stages are narrower."""

from collections.abc import Sequence
from typing import Any

from mmpretrain.models.backbones import ResNet
from mmpretrain.registry import MODELS
from torch import nn


@MODELS.register_module()
class NarrowLateResNet(ResNet):
    """Bottleneck ResNet with its own expansion in each stage.

    With the default expansions the stages give 256, 256, 512 and 1024 channels
    (ResNet-50: 256, 512, 1024, 2048) at the same inner widths, which leaves 16.8 of
    23.5 million parameters and half of the last feature map. Published weights of a
    ResNet-50 fit the stem and ``layer1``, and no other stage.

    Stages keep the names ``layer1`` to ``layer4``, so frozen stages, layer-wise decay
    and everything else that knows a ResNet works.

    Shapes:
        ``(N, in_channels, H, W)`` to a tuple of maps, by default one of
        ``(N, 1024, ceil(H / 32), ceil(W / 32))``.

    Args:
        depth: 50, 101 or 152.
        in_channels: Channels of the image; a mammogram has one.
        expansions: Output channels over inner channels, stage by stage.
        kwargs: All else that MMPreTrain's ``ResNet`` takes but ``expansion``.

    Raises:
        ValueError: If the depth has no bottlenecks or an expansion is not positive.

    Example:
        >>> model = NarrowLateResNet(in_channels=3)
        >>> sum(p.numel() for p in model.parameters())
        16838208
    """

    def __init__(
        self,
        depth: int = 50,
        in_channels: int = 1,
        expansions: Sequence[int] = (4, 2, 2, 2),
        **kwargs: Any,
    ) -> None:
        if depth not in (50, 101, 152):
            raise ValueError(f"NarrowLateResNet: depth must be 50, 101 or 152, got {depth}")
        if "expansion" in kwargs:
            raise ValueError("NarrowLateResNet: expansion must be given by stage, as expansions")
        stages = kwargs.get("num_stages", 4)
        if len(expansions) < stages or min(expansions) < 1:
            raise ValueError(
                f"NarrowLateResNet: expansions must be {stages} positive numbers, "
                f"got {tuple(expansions)}"
            )
        # The parent builds its stages while it is constructed and reads this then.
        self.expansions = tuple(expansions)
        super().__init__(depth=depth, in_channels=in_channels, **kwargs)

    def make_res_layer(self, **kwargs: Any) -> nn.Module:
        """Build the next stage with its own expansion, behind what the last one gives.

        The parent counts on one expansion and so on channels that double: both are
        replaced here, all else (strides, dilations, drop path) passes.
        """
        expansion = self.expansions[len(self.res_layers)]
        inner = kwargs["out_channels"] // kwargs["expansion"]
        if self.res_layers:
            kwargs["in_channels"] = getattr(self, self.res_layers[-1])[-1].out_channels
        kwargs |= {"out_channels": inner * expansion, "expansion": expansion}
        stage: nn.Module = super().make_res_layer(**kwargs)
        return stage
