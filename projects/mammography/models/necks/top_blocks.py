"""What the blocks on top of a patch network have in common."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

KAIMING = [
    {"type": "Kaiming", "layer": "Conv2d", "mode": "fan_out", "nonlinearity": "relu"},
    {"type": "Constant", "val": 1, "layer": ["_BatchNorm", "GroupNorm"]},
]


class TopBlocks(BaseModule):
    """Groups of layers on the map of a patch network, then the average over all places.

    Shapes:
        Map or tuple of maps, the last one ``(N, C, H, W)``, to a tuple of one ``(N, C')``.

    Args:
        groups: The groups, in order.
        init_cfg: Initialisation; Kaiming over the outputs (``fan_out``) unless given.
    """

    def __init__(
        self,
        groups: Sequence[nn.Module],
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        super().__init__(init_cfg or KAIMING)
        self.groups = nn.Sequential(*groups)

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the pooled vector of each image."""
        x = feats[-1] if isinstance(feats, tuple) else feats
        return (self.groups(x).mean(dim=(2, 3)),)


def check_groups(place: str, depths: Sequence[int], repetitions: Sequence[int]) -> None:
    """Refuse groups that are not described one by one.

    Raises:
        ValueError: If there is none, or numbers differ or are below 1.
    """
    if not depths or len(depths) != len(repetitions) or min(*depths, *repetitions) < 1:
        raise ValueError(
            f"{place}: depths and repetitions must have one number >= 1 for each group, "
            f"got {tuple(depths)} and {tuple(repetitions)}"
        )
