"""What the photometric transforms share; not registered."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpretrain.datasets.transforms.auto_augment import BaseAugTransform
from numpy.typing import NDArray

Image = NDArray[np.float32]


class PhotometricTransform(BaseAugTransform):
    """Change the intensities of a float image in [0, 1] with a probability.

    It serves in a pipeline and as a policy of MMPreTrain's ``RandAugment``, which sets
    ``magnitude_level``, ``magnitude_std`` and ``total_level``.

    Required and modified key: ``img``.

    Args:
        prob: Probability to act.
        **kwargs: As in MMPreTrain's ``BaseAugTransform``.

    Raises:
        ValueError: If ``prob`` is none, or the image is not of floats.
    """

    def __init__(self, prob: float = 0.5, **kwargs: Any) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f"{type(self).__name__}: prob must lie between 0 and 1, got {prob}")
        super().__init__(prob=prob, **kwargs)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Act or not."""
        if self.random_disable():
            return results
        image = results["img"]
        if not np.issubdtype(image.dtype, np.floating):
            raise ValueError(
                f"{type(self).__name__}: img must be of floats in [0, 1], got {image.dtype}: "
                "load it with LoadMammogram"
            )
        results["img"] = self.adjust(image)
        return results

    @abstractmethod
    def adjust(self, image: Image) -> Image:
        """Return the changed image."""

    def __repr__(self) -> str:
        """Show how it was built."""
        shown = {k: v for k, v in vars(self).items() if not k.startswith("_") and v is not None}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items())})"


class MagnitudeTransform(PhotometricTransform):
    """A photometric transform that can act strongly or weakly.

    Args:
        magnitude: How strongly it acts; 0 changes nothing.
        magnitude_range: Draw the magnitude by level from this range instead.
        prob: Probability to act.
        random_negative_prob: Probability to turn the sign of the magnitude.
        **kwargs: As in MMPreTrain's ``BaseAugTransform``.

    Raises:
        ValueError: If not exactly one of ``magnitude`` and ``magnitude_range`` is given.
    """

    def __init__(
        self,
        magnitude: float | None = None,
        magnitude_range: Sequence[float] | None = None,
        prob: float = 0.5,
        random_negative_prob: float = 0.5,
        **kwargs: Any,
    ) -> None:
        if (magnitude is None) == (magnitude_range is None):
            raise ValueError(
                f"{type(self).__name__}: exactly one of magnitude and magnitude_range must be "
                f"given, got {magnitude} and {magnitude_range}"
            )
        super().__init__(
            prob,
            magnitude_range=magnitude_range,
            random_negative_prob=random_negative_prob,
            **kwargs,
        )
        self.magnitude = magnitude

    def adjust(self, image: Image) -> Image:
        """Act with the magnitude, or with one drawn by level."""
        magnitude = self.random_magnitude() if self.magnitude is None else self.magnitude
        return self.adjust_by(image, float(self.random_negative(magnitude)))

    @abstractmethod
    def adjust_by(self, image: Image, magnitude: float) -> Image:
        """Return the image changed by a magnitude."""
