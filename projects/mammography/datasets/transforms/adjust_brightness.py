"""Brightness."""

from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.photometric_transform import Image, MagnitudeTransform
from mammography.functional.photometric import adjust_brightness


@TRANSFORMS.register_module()
class AdjustBrightness(MagnitudeTransform):
    """Multiply the intensities by ``1 + magnitude``; -1 is black.

    Arguments are those of :class:`MagnitudeTransform`.
    """

    def adjust_by(self, image: Image, magnitude: float) -> Image:
        """Brighten or darken."""
        return adjust_brightness(image, 1 + magnitude)
