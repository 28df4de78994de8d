"""Sharpness."""

from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.photometric_transform import Image, MagnitudeTransform
from mammography.functional.photometric import adjust_sharpness


@TRANSFORMS.register_module()
class AdjustSharpness(MagnitudeTransform):
    """Sharpen by a positive, smooth by a negative magnitude; the background stays 0.

    Arguments are those of :class:`MagnitudeTransform`.
    """

    def adjust_by(self, image: Image, magnitude: float) -> Image:
        """Sharpen or smooth."""
        return adjust_sharpness(image, 1 + magnitude)
