"""Views of several cases as one batch of images."""

from typing import Any

from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS


@MODELS.register_module()
class MultiViewDataPreprocessor(ClsDataPreprocessor):
    """Put the views of all cases of a batch one after the other.

    No image is invented for a view that a case lacks: the batch is as long as there are views.

    Shapes:
        Cases of ``(V, C, H, W)`` to ``(sum of V, C, H, W)``.

    Args:
        **settings: ``mean``, ``std`` ... as in :class:`mmpretrain.models.ClsDataPreprocessor`.

    Example:
        >>> import torch
        >>> cases = {"inputs": [torch.rand(4, 1, 6, 5), torch.rand(2, 1, 6, 5)]}
        >>> MultiViewDataPreprocessor()(cases)["inputs"].shape
        torch.Size([6, 1, 6, 5])
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Return all views, normalised, and the samples of the cases."""
        views = [view for case in data["inputs"] for view in case]
        batch: dict[str, Any] = super().forward({"inputs": views}, training)
        return batch | {"data_samples": self.cast_data(data.get("data_samples"))}
