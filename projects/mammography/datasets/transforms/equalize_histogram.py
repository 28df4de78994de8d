"""Histogram equalisation."""

from typing import Any

from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.photometric_transform import Image, PhotometricTransform
from mammography.functional.photometric import equalize


@TRANSFORMS.register_module()
class EqualizeHistogram(PhotometricTransform):
    """Make every intensity as frequent as any other, on 65536 levels.

    Args:
        prob: Probability to act.
        breast_only: Take the histogram from pixels above 0.
        **kwargs: As in :class:`PhotometricTransform`.
    """

    def __init__(self, prob: float = 0.5, breast_only: bool = True, **kwargs: Any) -> None:
        super().__init__(prob, **kwargs)
        self.breast_only = breast_only

    def adjust(self, image: Image) -> Image:
        """Equalise."""
        return equalize(image, self.breast_only)
