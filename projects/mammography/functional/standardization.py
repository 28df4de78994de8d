"""The z-score of an image."""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

_SMALLEST_DEVIATION = 1e-5  # below the step of 16 bits: the image is of one intensity


def standardize(image: Image, breast_only: bool = True) -> Image:
    """Subtract the mean of an image and divide by its standard deviation.

    All pixels go through the same straight line; the background, where an image is 0, so becomes
    its lowest value, not 0.

    Shapes:
        ``(H, W)``, float32; the input is left as it is.

    Args:
        image: Intensities.
        breast_only: Take mean and deviation from pixels above 0: they do then not depend
            on how tightly the breast was cropped. Published systems take all pixels.

    Returns:
        The standardised image; one of a single intensity becomes 0 there.

    Example:
        >>> standardize(np.array([[0, 0.25, 0.75]], np.float32)).tolist()
        [[-2.0, -1.0, 1.0]]
    """
    mask = (image > 0).view(np.uint8) if breast_only else None
    if mask is not None and not mask.any():
        return np.zeros_like(image)
    mean, deviation = (float(value[0, 0]) for value in cv2.meanStdDev(image, mask=mask))
    scale = 1 / deviation if deviation > _SMALLEST_DEVIATION else 1.0
    return np.asarray((image - np.float32(mean)) * np.float32(scale), dtype=np.float32)
