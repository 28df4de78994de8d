"""Pictures of a map over the image that it speaks about."""

from collections.abc import Iterable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.affine import Matrix, SizeHW, warp_affine

Box = tuple[float, float, float, float]
Colour = tuple[int, int, int]
MALIGNANT, BENIGN, UNKNOWN = (255, 64, 64), (64, 200, 255), (255, 255, 255)


def resample_map(heat: ArrayLike, matrix: Matrix, size_hw: SizeHW) -> NDArray[np.float32]:
    """Bring a map onto the pixels of an image, by linear interpolation.

    Shapes:
        heat ``(h, w)`` or ``(K, h, w)``; returns ``(H, W)`` or ``(K, H, W)``.

    Args:
        heat: The map.
        matrix: From places of the map to pixels, ``(2, 3)``, in continuous coordinates from the
            top-left corner, as
            :meth:`~mammography.functional.windows.WindowGrid.to_pixels` gives it.
        size_hw: Size of the image. Pixels that no place covers are 0.
    """
    values = np.asarray(heat, np.float32)
    if values.ndim == 2:
        return np.asarray(warp_affine(values, matrix, size_hw), np.float32)
    return np.stack([resample_map(each, matrix, size_hw) for each in values])


def extend_edges(heat: ArrayLike) -> tuple[NDArray[np.float32], Matrix]:
    """Repeat the outermost places of a map once on each side.

    Interpolation ends at the middle of the outermost places; beyond it a map would fade towards 0
    though the place speaks for those pixels too.

    Shapes:
        heat ``(h, w)``; returns ``(h + 2, w + 2)``, and the matrix ``(2, 3)`` from its places to
        those of the map.

    Example:
        >>> larger, matrix = extend_edges([[1.0, 2.0]])
        >>> larger[0].tolist(), matrix.tolist()
        ([1.0, 1.0, 2.0, 2.0], [[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])
    """
    larger = np.pad(np.asarray(heat, np.float32), 1, mode="edge")
    return larger, np.array([[1.0, 0.0, -1.0], [0.0, 1.0, -1.0]])


def draw_overlay(
    image: NDArray[Any], heat: NDArray[Any], *, opacity: float = 0.6, palette: str = "inferno"
) -> NDArray[np.uint8]:
    """Colour an image by a map; where the map is 0 the image stays grey.

    Shapes:
        image, heat ``(H, W)``; returns ``(H, W, 3)``, red, green, blue.

    Args:
        image: Grey values in [0, 1].
        heat: Values in [0, 1]: probabilities are shown as they are, not stretched, so that
            pictures of several images compare.
        opacity: Of the colour where the map is 1, in [0, 1].
        palette: Name of an OpenCV colour map, in lower case.

    Raises:
        ValueError: If the sizes differ, a value lies outside, or the palette is unknown.

    Example:
        >>> draw_overlay(np.full((1, 2), 0.5), np.array([[0.0, 1.0]])).tolist()
        [[[128, 128, 128], [202, 204, 149]]]
    """
    if image.shape != heat.shape or image.ndim != 2:
        raise ValueError(
            f"draw_overlay: image and heat must be (H, W) alike, got {image.shape}, {heat.shape}"
        )
    if not 0 <= opacity <= 1:
        raise ValueError(f"draw_overlay: opacity must lie in [0, 1], got {opacity}")
    for name, values in (("image", image), ("heat", heat)):
        if values.size and not (values.min() >= -1e-6 and values.max() <= 1 + 1e-6):
            raise ValueError(
                f"draw_overlay: {name} must lie in [0, 1], got {values.min():g} to {values.max():g}"
            )
    code = getattr(cv2, f"COLORMAP_{palette.upper()}", None)
    if code is None:
        raise ValueError(f"draw_overlay: palette must be an OpenCV colour map, got {palette!r}")
    levels = np.round(np.clip(heat, 0, 1) * 255).astype(np.uint8)
    colours = cv2.applyColorMap(levels, code)[..., ::-1].astype(np.float32)
    share = opacity * np.clip(heat, 0, 1)[..., None].astype(np.float32)
    grey = 255 * np.clip(image, 0, 1)[..., None].astype(np.float32)
    return np.asarray(np.round((1 - share) * grey + share * colours), np.uint8)


def draw_boxes(
    picture: NDArray[np.uint8], boxes: Iterable[Box], colours: Sequence[Colour], width: int = 1
) -> NDArray[np.uint8]:
    """Return a picture with the outlines of boxes.

    Shapes:
        picture ``(H, W, 3)``, likewise the result.

    Args:
        picture: Red, green, blue.
        boxes: Left, top, right, bottom in pixels.
        colours: One for each box.
        width: Of the lines, in pixels.
    """
    drawn = np.ascontiguousarray(picture).copy()
    for (left, top, right, bottom), colour in zip(boxes, colours, strict=True):
        first, last = (round(left), round(top)), (round(right) - 1, round(bottom) - 1)
        cv2.rectangle(drawn, first, last, colour, width)
    return drawn
