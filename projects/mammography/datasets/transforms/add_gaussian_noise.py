"""Noise."""

import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpretrain.registry import TRANSFORMS

from mammography.datasets.randomness import generator
from mammography.datasets.transforms.photometric_transform import Image, MagnitudeTransform
from mammography.functional.photometric import add_gaussian_noise


@TRANSFORMS.register_module()
class AddGaussianNoise(MagnitudeTransform):
    """Add normal noise inside the breast; the magnitude is its standard deviation.

    Arguments are those of :class:`MagnitudeTransform`; a sign has no meaning.
    """

    # MMCV would otherwise enter the method below in the list of the base class, which every
    # augmentation of MMPreTrain shares.
    _methods_with_randomness = list(MagnitudeTransform._methods_with_randomness)

    def adjust_by(self, image: Image, magnitude: float) -> Image:
        """Add the noise."""
        return add_gaussian_noise(image, abs(magnitude), np.random.default_rng(self.random_seed()))

    @cache_randomness
    def random_seed(self) -> int:
        """Draw where the noise begins, so that a draw can be replayed."""
        return int(generator().integers(2**63))
