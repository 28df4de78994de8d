"""A convolution whose channels are dropped, for MC dropout all through a network."""

from typing import Any

from mmpretrain.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class DropoutConv2d(nn.Conv2d):
    """A convolution with dropout of whole channels behind it.

    ``conv_cfg=dict(type="DropoutConv2d", drop_rate=0.1)`` of a backbone, such as the ResNets, puts
    dropout behind every convolution, so that ``tools/test.py --mc-dropout`` draws all its weights
    and not those of the head alone. The weights have the names of a plain convolution: published
    ones load.

    Shapes:
        ``(N, C, H, W)`` to ``(N, C', H', W')``.

    Args:
        *sizes: As of :class:`torch.nn.Conv2d`.
        drop_rate: Share of the channels that is dropped in training.
        **settings: As of :class:`torch.nn.Conv2d`.

    Raises:
        ValueError: If the rate does not lie between 0 and 1.

    References:
        Tompson et al. 2015, arXiv:1411.4280 (whole channels); Gal and Ghahramani 2016,
        arXiv:1506.02158, section 3 (behind every convolution).

    Example:
        >>> layer = DropoutConv2d(1, 8, 3, drop_rate=0.5)
        >>> sorted(layer.state_dict())
        ['bias', 'weight']
    """

    def __init__(self, *sizes: Any, drop_rate: float, **settings: Any) -> None:
        super().__init__(*sizes, **settings)
        self.dropout = nn.Dropout2d(drop_rate)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, then drop channels."""
        dropped: Tensor = self.dropout(super().forward(x))
        return dropped
