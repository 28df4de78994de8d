"""The outline of a synthetic breast, in millimetres.

Everything is drawn as a left breast: the chest wall lies at ``x = 0``, the nipple points
to the right, ``y`` runs down. A right breast is the mirror image.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from mammography.terms import ViewPosition

Points = NDArray[np.float64]

FIELD_HEIGHT_MM = 224.0
_NIPPLE_HEIGHT_MM, _NIPPLE_WIDTH_MM = 3.5, 4.0


@dataclass(frozen=True)
class BreastShape:
    """Size and form of one breast under compression.

    Attributes:
        depth_mm: From the chest wall to the nipple, 50 to 110.
        half_height_mm: From the nipple line to the upper end of the breast, 60 to 105.
        squareness: Exponent of the CC outline: 2 is an ellipse, more is fuller.
        nipple_cc: Height of the nipple in the CC view, as a fraction of the field.
        nipple_mlo: The same in the MLO view.
        arm: Width of the tissue at the upper edge of the MLO view, per depth.
        pectoral_width: Width of the muscle at the upper edge, per depth.
        pectoral_height: Where the muscle ends, as a fraction of the field.
    """

    depth_mm: float = 80.0
    half_height_mm: float = 82.0
    squareness: float = 2.2
    nipple_cc: float = 0.5
    nipple_mlo: float = 0.58
    arm: float = 0.5
    pectoral_width: float = 0.45
    pectoral_height: float = 0.6


def draw_shape(rng: np.random.Generator) -> BreastShape:
    """Draw the shape of a breast."""
    depth, arm = rng.uniform(64, 112), rng.uniform(0.5, 0.72)
    return BreastShape(
        depth_mm=depth,
        half_height_mm=float(np.clip(depth * rng.uniform(0.85, 1.15), 66, 98)),
        squareness=rng.uniform(1.9, 2.5),
        nipple_cc=rng.uniform(0.46, 0.54),
        nipple_mlo=rng.uniform(0.54, 0.6),
        arm=arm,
        pectoral_width=arm * rng.uniform(0.6, 0.9),
        pectoral_height=rng.uniform(0.45, 0.72),
    )


def nipple_height_mm(shape: BreastShape, view: ViewPosition) -> float:
    """Return the height ``y`` of the nipple."""
    fraction = shape.nipple_cc if view is ViewPosition.CC else shape.nipple_mlo
    return fraction * FIELD_HEIGHT_MM


def skin_depth_mm(shape: BreastShape, view: ViewPosition, y: Points) -> Points:
    """Return how far the skin is from the chest wall at each height.

    CC is a superellipse. MLO runs from the arm over the nipple to the inframammary fold
    and out again to the abdomen. The nipple stands out of both in profile.

    Args:
        shape: The breast.
        view: CC or MLO.
        y: Heights in mm, any shape.

    Returns:
        Depths in mm; 0 where there is no breast.
    """
    nipple, half = nipple_height_mm(shape, view), shape.half_height_mm
    if view is ViewPosition.CC:
        t = np.clip(np.abs(y - nipple) / half, 0, 1)
        power = shape.squareness
        depth = shape.depth_mm * (1 - t**power) ** (1 / power)
    else:
        heights = nipple + half * np.array([0.0, -0.7, 0.0, 0.45, 0.8, 0.98, 1.3])
        heights[0] = -5.0
        widths = shape.depth_mm * np.array([shape.arm, 0.84, 1.0, 0.84, 0.4, 0.1, 0.22])
        depth = PchipInterpolator(heights, widths)(np.clip(y, heights[0], heights[-1]))
    bump = np.exp(-(np.abs((y - nipple) / _NIPPLE_WIDTH_MM) ** 3))
    return np.asarray(depth + _NIPPLE_HEIGHT_MM * bump, float)


def pectoral_width_mm(shape: BreastShape, view: ViewPosition, y: Points) -> Points:
    """Return how far the pectoral muscle reaches from the chest wall: 0 in CC."""
    if view is ViewPosition.CC:
        return np.zeros_like(y, float)
    t = np.clip(1 - y / (shape.pectoral_height * FIELD_HEIGHT_MM), 0, 1)
    return np.asarray(shape.pectoral_width * shape.depth_mm * t**0.8, float)


def project(
    shape: BreastShape, view: ViewPosition, position: tuple[float, float, float]
) -> tuple[float, float]:
    """Return where a point of the breast is seen, ``(x, y)`` in mm.

    Args:
        shape: The breast.
        view: CC or MLO.
        position: Depth from the chest wall (0) to the skin (1); to the lateral side
            (1) or the medial (-1); up (1) or down (-1).
    """
    depth, lateral, up = position
    rise = lateral if view is ViewPosition.CC else 0.9 * up + 0.2 * lateral
    y = nipple_height_mm(shape, view) - rise * shape.half_height_mm
    return depth * float(skin_depth_mm(shape, view, np.array(y))), y


def fit_inside(
    shape: BreastShape, view: ViewPosition, center: tuple[float, float], radius_mm: float
) -> tuple[float, float]:
    """Move a disc towards the middle of the breast until it lies inside.

    Args:
        shape: The breast.
        view: CC or MLO.
        center: ``(x, y)`` in mm.
        radius_mm: Radius, margin included.

    Returns:
        The new centre; the middle of the breast when the disc is too large for it.
    """
    start = np.array(center)
    middle = np.array([0.45 * shape.depth_mm, nipple_height_mm(shape, view)])
    y = np.linspace(0, FIELD_HEIGHT_MM, 257)
    skin = np.stack([skin_depth_mm(shape, view, y), y], axis=1)
    for step in np.linspace(0, 1, 21):
        x, y0 = start + step * (middle - start)
        inside = x < np.interp(y0, y, skin[:, 0])
        clear = np.hypot(*(skin - (x, y0)).T).min() >= radius_mm
        if inside and clear and x >= radius_mm:
            break
    return float(x), float(y0)
