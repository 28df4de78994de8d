"""One affine warp for crop, resize, flip, zoom, shear, rotation and translation.

Every matrix here maps input to output in continuous coordinates ``(x, y)`` from the
top-left corner, where pixel ``i`` covers ``[i, i + 1)``: a mirror is ``x -> width - x``
and a resize is ``x -> scale * x``, so the edges of a box can be mapped as they are.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Box = tuple[float, float, float, float]
SizeHW = tuple[int, int]

INTERPOLATION = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
}

# A bilinear kernel skips input pixels when the output is much smaller: average first.
ALIASING_SCALE = 0.6


@dataclass(frozen=True)
class AffineParameters:
    """What a warp does, apart from doing it.

    The window ``crop_box`` is fitted into the output; the rest then acts about the
    centre of the output, in this order: flip, zoom, shear, rotation, translation.

    Attributes:
        crop_box: Left, top, right, bottom of the window in input pixels; None is all.
            The window frames the view, it does not mask what lies outside.
        flip: Mirror left to right.
        zoom: Factor, above 1 enlarges.
        shear_deg: Angles by which vertical and horizontal lines lean.
        rotation_deg: Counter-clockwise as seen.
        translation: Shares of the output width and height to move right and down.
    """

    crop_box: Box | None = None
    flip: bool = False
    zoom: float = 1.0
    shear_deg: tuple[float, float] = (0.0, 0.0)
    rotation_deg: float = 0.0
    translation: tuple[float, float] = (0.0, 0.0)


def affine_matrix(
    parameters: AffineParameters,
    in_hw: SizeHW,
    out_hw: SizeHW,
    keep_ratio: bool = True,
    anchor: float = 0.5,
) -> Matrix:
    """Compose the parameters into one matrix, input to output.

    Args:
        parameters: What to do.
        in_hw: Size of the input.
        out_hw: Size of the output.
        keep_ratio: Fit the window as a whole with one scale for both axes, which leaves
            room beside it; otherwise stretch it over the output.
        anchor: Share of that room to the left of the window, 0 to 1, before the flip;
            above and below it the room is the same.

    Shapes:
        Output ``(2, 3)``, float64.

    Example:
        >>> affine_matrix(AffineParameters(flip=True), (40, 20), (80, 50)).tolist()
        [[-2.0, 0.0, 45.0], [0.0, 2.0, 0.0]]
    """
    left, top, right, bottom = parameters.crop_box or (0.0, 0.0, in_hw[1], in_hw[0])
    height, width = out_hw
    scale_x, scale_y = width / (right - left), height / (bottom - top)
    if keep_ratio:
        scale_x = scale_y = min(scale_x, scale_y)
    room_x = width - scale_x * (right - left)
    room_y = height - scale_y * (bottom - top)
    fit = _linear(scale_x, 0, 0, scale_y) @ _move(-left, -top)
    fit = _move(room_x * anchor - width / 2, room_y / 2 - height / 2) @ fit
    shear_x, shear_y = np.tan(np.deg2rad(parameters.shear_deg))
    angle = np.deg2rad(parameters.rotation_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    steps = (
        _move(
            width * (0.5 + parameters.translation[0]), height * (0.5 + parameters.translation[1])
        ),
        _linear(cosine, sine, -sine, cosine),
        _linear(1, shear_x, shear_y, 1),
        _linear(-parameters.zoom if parameters.flip else parameters.zoom, 0, 0, parameters.zoom),
        fit,
    )
    matrix: Matrix = np.linalg.multi_dot(steps)[:2] + 0.0  # no negative zeros
    return matrix


def _linear(xx: float, xy: float, yx: float, yy: float) -> Matrix:
    return np.array([[xx, xy, 0.0], [yx, yy, 0.0], [0.0, 0.0, 1.0]])


def _move(x: float, y: float) -> Matrix:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def compose_affine(second: Matrix, first: Matrix) -> Matrix:
    """Return the matrix of ``first`` followed by ``second``, both (2, 3)."""
    square = np.vstack([first, [0.0, 0.0, 1.0]])
    return np.asarray(second @ square, dtype=np.float64)


def warp_affine(
    image: NDArray[Any], matrix: Matrix, out_hw: SizeHW, interpolation: str = "bilinear"
) -> NDArray[Any]:
    """Resample an image once; what the input does not cover is 0.

    An axis that shrinks below 0.6 is averaged over whole pixels first, because the
    interpolation looks at neighbours only and would alias.

    Args:
        image: Any number type that OpenCV knows, kept.
        matrix: From :func:`affine_matrix`.
        out_hw: Size of the output.
        interpolation: ``nearest``, ``bilinear`` or ``bicubic``.

    Shapes:
        Input ``(H, W)`` or ``(H, W, C)``; output ``out_hw`` in place of ``H, W``.
    """
    if interpolation != "nearest":
        image, matrix = _shrink_first(image, matrix)
    # OpenCV counts from the centre of the first pixel, not from its corner.
    centred = np.array(matrix, dtype=np.float64)
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    warped: NDArray[Any] = cv2.warpAffine(
        image,
        centred,
        (out_hw[1], out_hw[0]),
        flags=INTERPOLATION[interpolation],
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    if interpolation == "bicubic" and np.issubdtype(image.dtype, np.floating):
        # The cubic kernel overshoots at edges.
        np.clip(warped, min(image.min(), 0), max(image.max(), 0), out=warped)
    return warped


def _shrink_first(image: NDArray[Any], matrix: Matrix) -> tuple[NDArray[Any], Matrix]:
    """Average blocks of whole pixels along the axes that would alias."""
    scale = np.linalg.norm(matrix[:, :2], axis=0)  # output pixels per input pixel of x, y
    height, width = image.shape[:2]
    blocks = [
        min(round(1 / s), size) if s < ALIASING_SCALE else 1
        for s, size in zip(scale, (width, height), strict=True)
    ]
    if blocks == [1, 1]:
        return image, matrix
    # OpenCV averages whole blocks many times faster than fractional ones.
    missing_x, missing_y = -width % blocks[0], -height % blocks[1]
    if missing_x or missing_y:
        image = cv2.copyMakeBorder(image, 0, missing_y, 0, missing_x, cv2.BORDER_CONSTANT, value=0)
    size = (image.shape[1] // blocks[0], image.shape[0] // blocks[1])
    shrunk: NDArray[Any] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return shrunk, matrix @ np.diag([*blocks, 1])


def map_box(matrix: Matrix, box: Box) -> Box:
    """Map a box and return the upright box around the result.

    Args:
        matrix: (2, 3), e.g. the ``warp_matrix`` of a sample.
        box: Left, top, right, bottom.
    """
    left, top, right, bottom = box
    corners = np.array([[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]])
    x, y = matrix @ corners
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())
