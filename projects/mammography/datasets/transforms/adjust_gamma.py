"""Gamma."""

from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.photometric_transform import Image, MagnitudeTransform
from mammography.functional.photometric import adjust_gamma


@TRANSFORMS.register_module()
class AdjustGamma(MagnitudeTransform):
    """Raise the intensities to the power ``2 ** magnitude``: 1 squares, -1 takes the root.

    Arguments are those of :class:`MagnitudeTransform`.
    """

    def adjust_by(self, image: Image, magnitude: float) -> Image:
        """Bend the characteristic curve."""
        return adjust_gamma(image, 2**magnitude)
