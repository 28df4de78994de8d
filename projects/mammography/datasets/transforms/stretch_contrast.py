"""Automatic contrast."""

from typing import Any

from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.photometric_transform import Image, PhotometricTransform
from mammography.functional.photometric import autocontrast


@TRANSFORMS.register_module()
class StretchContrast(PhotometricTransform):
    """Stretch the intensities over [0, 1] (Pillow's and MMPreTrain's auto-contrast).

    Args:
        prob: Probability to act.
        breast_only: Take the extremes from pixels above 0.
        cutoff: Share of the darkest, and of the brightest, pixels to ignore.
        **kwargs: As in :class:`PhotometricTransform`.

    Raises:
        ValueError: If ``cutoff`` is not in [0, 0.5).
    """

    def __init__(
        self, prob: float = 0.5, breast_only: bool = True, cutoff: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(prob, **kwargs)
        if not 0 <= cutoff < 0.5:
            raise ValueError(f"StretchContrast: cutoff must lie in [0, 0.5), got {cutoff}")
        self.breast_only = breast_only
        self.cutoff = cutoff

    def adjust(self, image: Image) -> Image:
        """Stretch."""
        return autocontrast(image, self.breast_only, self.cutoff)
