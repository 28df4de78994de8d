"""Average and maximum of a feature map, side by side."""

import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class CatAvgMaxPoolingNeck(BaseModule):
    """Pool a feature map by its average and by its maximum, and concatenate them.

    The average says what the breast is like, the maximum whether there is one place like a
    cancer, which an average over some thousand places would thin out. Twice the channels go on.

    Shapes:
        Map or tuple of maps, the last one ``(N, C, H, W)``, to a tuple of one ``(N, 2 C)``: first
        the averages.

    References:
        System D; ``catavgmax`` of timm, in the same order.

    Example:
        >>> neck = CatAvgMaxPoolingNeck()
        >>> neck((torch.tensor([[[[0.0, 4.0]], [[1.0, 1.0]]]]),))
        (tensor([[2., 1., 4., 1.]]),)
    """

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        """Return the pooled vector of each image."""
        x = feats[-1] if isinstance(feats, tuple) else feats
        return (torch.cat([x.mean(dim=(2, 3)), x.amax(dim=(2, 3))], dim=1),)
