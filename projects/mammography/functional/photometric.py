"""Photometric operations on images in [0, 1] that keep their depth.

They mean what Pillow's ``ImageOps`` and ``ImageEnhance`` mean on 8-bit images, without the
rounding to 256 levels. Prepared mammograms are exactly 0 outside the breast. With
``breast_only`` (the default where it matters) statistics come from the breast and the
background stays 0; otherwise most of the histogram would be background and the result
would depend on how tightly the breast was cropped.

Shapes:
    Every function takes and returns ``(H, W)``, float32; the input is left as it is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

_LEVELS = 65536
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], dtype=np.float32) / 13


def autocontrast(image: Image, breast_only: bool = True, cutoff: float = 0.0) -> Image:
    """Stretch the intensities linearly over [0, 1].

    Args:
        image: Intensities in [0, 1].
        breast_only: Take the darkest and brightest pixel from the breast.
        cutoff: Share of the darkest, and of the brightest, pixels to ignore, below 0.5.

    Returns:
        The stretched image; an image of one intensity is returned as it is.
    """
    low, high = _extremes(image, breast_only, cutoff)
    if high <= low:
        return image.copy()
    scale = 1 / (high - low)
    stretched = cv2.addWeighted(image, scale, image, 0, -low * scale)
    return np.asarray(np.clip(stretched, 0, 1), dtype=np.float32)


def _extremes(image: Image, breast_only: bool, cutoff: float) -> tuple[float, float]:
    if cutoff > 0:
        values = image[image > 0] if breast_only else image.ravel()
        ignored = int(values.size * cutoff)
        if values.size == 0:
            return 0.0, 0.0
        ends = np.partition(values, (ignored, values.size - 1 - ignored))
        return float(ends[ignored]), float(ends[values.size - 1 - ignored])
    mask = (image > 0).view(np.uint8) if breast_only else None
    low, high, _, _ = cv2.minMaxLoc(image, mask=mask)
    return low, high


def adjust_brightness(image: Image, factor: float) -> Image:
    """Multiply the intensities; 1 changes nothing, 0 is black."""
    return np.asarray(np.clip(image * np.float32(factor), 0, 1), dtype=np.float32)


def adjust_sharpness(image: Image, factor: float, breast_only: bool = True) -> Image:
    """Mix the image with a smoothed one; 1 changes nothing, 0 smooths, 2 sharpens.

    Args:
        image: Intensities in [0, 1].
        factor: Weight of the image; the rest, possibly negative, is the smoothed one.
        breast_only: Keep the background 0, where smoothing would leave a rim.
    """
    smooth = cv2.filter2D(image, -1, _SMOOTH)
    # As in Pillow, the outermost pixels have no full neighbourhood and stay.
    smooth[[0, -1]], smooth[:, [0, -1]] = image[[0, -1]], image[:, [0, -1]]
    mixed = np.clip(cv2.addWeighted(image, factor, smooth, 1 - factor, 0), 0, 1)
    if breast_only:
        mixed *= image > 0
    return np.asarray(mixed, dtype=np.float32)


def equalize(image: Image, breast_only: bool = True) -> Image:
    """Spread the intensities so that each is as frequent as any other.

    Args:
        image: Intensities in [0, 1]; they are told apart on 65536 levels.
        breast_only: Take the histogram from the breast; the background stays 0.

    Returns:
        The share of pixels that are darker, so that the darkest becomes 0 and the brightest
        1; an image of one intensity is returned as it is.
    """
    levels = (image * np.float32(_LEVELS - 1) + np.float32(0.5)).astype(np.uint16)
    counts = cv2.calcHist([levels], [0], None, [_LEVELS], [0, _LEVELS]).ravel().astype(np.int64)
    if breast_only:
        counts[0] = 0
    occupied = np.flatnonzero(counts)
    if occupied.size < 2:
        return image.copy()
    darker = np.cumsum(counts) - counts
    table = np.minimum(darker / darker[occupied[-1]], 1).astype(np.float32)
    return np.asarray(cv2.LUT(levels, table), dtype=np.float32)


def adjust_gamma(image: Image, gamma: float) -> Image:
    """Raise the intensities to a power; above 1 darkens, background and white stay."""
    return np.asarray(cv2.pow(image, gamma), dtype=np.float32)


def add_gaussian_noise(
    image: Image, std: float, rng: np.random.Generator, breast_only: bool = True
) -> Image:
    """Add independent normal noise.

    Args:
        image: Intensities in [0, 1].
        std: Standard deviation as a share of the full range.
        rng: Source of randomness.
        breast_only: Keep the background 0.
    """
    noisy = rng.standard_normal(image.shape, dtype=np.float32)
    noisy *= np.float32(std)
    noisy += image
    np.clip(noisy, 0, 1, out=noisy)
    if breast_only:
        noisy *= image > 0
    return noisy
