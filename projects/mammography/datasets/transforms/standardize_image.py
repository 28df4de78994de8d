"""Per-image normalisation by mean and deviation."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS

from mammography.functional.standardization import standardize


@TRANSFORMS.register_module()
class StandardizeImage(BaseTransform):
    """Give every image the mean 0 and the deviation 1 (z-score).

    Right before packing, as the photometric transforms need intensities in [0, 1]; the
    data preprocessor should then leave the values alone (``mean=[0], std=[1]``). Its counterpart
    that spans [0, 1] is ``StretchContrast(prob=1, breast_only=False)``.

    Required and modified key: ``img``.

    Args:
        breast_only: Take mean and deviation from pixels above 0; False takes all pixels, as
            published for system DoSReMC. See :func:`standardize`.

    Raises:
        ValueError: If the image is not of floats.
    """

    def __init__(self, breast_only: bool = True) -> None:
        self.breast_only = breast_only

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Standardise."""
        image = results["img"]
        if not np.issubdtype(image.dtype, np.floating):
            raise ValueError(
                f"StandardizeImage: img must be of floats, got {image.dtype}: "
                "load it with LoadMammogram"
            )
        results["img"] = standardize(image, self.breast_only)
        return results

    def __repr__(self) -> str:
        """Show how it was built."""
        return f"StandardizeImage(breast_only={self.breast_only})"
