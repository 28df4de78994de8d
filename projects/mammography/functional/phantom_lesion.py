"""Masses and calcifications of a synthetic breast: outlines and pixels.

Benign and malignant lesions have the same sizes and contrasts: they differ in margin
(smooth or irregular with spicules) and in morphology (few large round calcifications or
a tight cluster of fine ones of many shapes), as BI-RADS describes them.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Points = NDArray[np.float64]

_ANGLES = np.linspace(0, 2 * np.pi, 96, endpoint=False)
# Lesions are drawn on a grid about this fine, then averaged into pixels.
_STEP_MM = {"mass": 0.15, "calcification": 0.05}


class LesionKind(StrEnum):
    """What a lesion is made of."""

    MASS = "mass"
    CALCIFICATION = "calcification"


@dataclass(frozen=True)
class Lesion:
    """A lesion of a breast, whatever view it is seen in.

    Attributes:
        kind: Mass or cluster of calcifications.
        malignant: Whether it is cancer.
        size_mm: Largest diameter of the outline.
        contrast: How much brighter than the tissue, in units of the full range.
        position: Depth (0 chest wall, 1 skin), lateral (-1 to 1), up (-1 to 1).
    """

    kind: LesionKind
    malignant: bool
    size_mm: float = 16.0
    contrast: float = 0.18
    position: tuple[float, float, float] = (0.5, 0.0, 0.0)


@dataclass(frozen=True)
class LesionForm:
    """How a lesion looks in one view, in mm around its centre.

    Attributes:
        outline: Closed polygon, ``(N, 2)`` as ``(x, y)``.
        specks: One polygon for each calcification.
        spicules: Rows of ``x0, y0, x1, y1, width`` from the margin outwards.
    """

    outline: Points
    specks: tuple[Points, ...] = ()
    spicules: Points = ()  # type: ignore[assignment]


def shape_lesion(rng: np.random.Generator, lesion: Lesion) -> LesionForm:
    """Draw the form of a lesion in one view.

    Args:
        rng: Source of chance.
        lesion: What it is; the outline spans exactly its ``size_mm``.
    """
    if lesion.kind is LesionKind.CALCIFICATION:
        return _shape_calcifications(rng, lesion)
    outline = _blob(rng, lesion.size_mm, rough=0.16 if lesion.malignant else 0.0)
    if not lesion.malignant:
        return LesionForm(outline)
    count = int(rng.integers(16, 27))
    root = outline[rng.permutation(len(outline))[:count]]
    length = 2.0 + lesion.size_mm * rng.uniform(0.2, 0.7, count)
    angle = np.arctan2(root[:, 1], root[:, 0]) + rng.normal(0, 0.25, count)
    tip = root + length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    width = rng.uniform(0.9, 1.8, count)
    return LesionForm(outline, (), np.column_stack([0.6 * root, tip, width]))


def _blob(rng: np.random.Generator, size_mm: float, rough: float) -> Points:
    """Return an oval, or a star-shaped polygon with a rough margin, of this diameter."""
    axes = np.array([1.0, rng.uniform(0.65, 0.95)])
    orders = np.arange(3, 13)
    amplitude = rough * rng.normal(0, 1, 10) / np.sqrt(orders)
    phase = rng.uniform(0, 2 * np.pi, 10)
    waves = amplitude[:, None] * np.cos(orders[:, None] * _ANGLES + phase[:, None])
    radius = np.clip(1 + waves.sum(axis=0), 0.55, 1.6)
    tilt = rng.uniform(0, np.pi)
    points = radius[:, None] * axes * np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
    points = points @ np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    return np.asarray(points * (size_mm / _diameter(points)))


def _shape_calcifications(rng: np.random.Generator, lesion: Lesion) -> LesionForm:
    count = int(rng.integers(14, 27) if lesion.malignant else rng.integers(4, 9))
    sizes = rng.uniform(0.45, 1.0, count) if lesion.malignant else rng.uniform(1.1, 2.0, count)
    # Fine ones crowd around the centre, coarse ones scatter over the whole region.
    places = rng.normal(0, 1, (count, 2)) if lesion.malignant else _disc(rng, count)
    places *= (lesion.size_mm - sizes.max()) / _diameter(places)
    rough = 0.5 if lesion.malignant else 0.0
    specks = [p + _blob(rng, size, rough) for p, size in zip(places, sizes, strict=True)]
    hull = cv2.convexHull(np.concatenate(specks).astype(np.float32))[:, 0].astype(float)
    middle = (hull.min(axis=0) + hull.max(axis=0)) / 2
    scale = lesion.size_mm / _diameter(hull)
    return LesionForm((hull - middle) * scale, tuple((p - middle) * scale for p in specks))


def _disc(rng: np.random.Generator, count: int) -> Points:
    """Draw points that fill a disc evenly."""
    angle, radius = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _diameter(points: Points) -> float:
    return float(np.hypot(*(points[:, None] - points[None]).T).max())


def add_lesion(
    image: Image,
    form: LesionForm,
    lesion: Lesion,
    center_mm: tuple[float, float],
    pixel_spacing_mm: float,
) -> None:
    """Add the brightness of a lesion to an image, in place.

    Args:
        image: ``(H, W)`` float32; the lesion may stand out of it.
        form: How the lesion looks in this view.
        lesion: What it is.
        center_mm: ``(x, y)`` of the form's origin from the image's top-left corner.
        pixel_spacing_mm: Size of a pixel.
    """
    height, width = image.shape
    reach = np.abs(np.concatenate([form.outline, *_tips(form)])).max() + 2.0
    low = np.floor((np.array(center_mm) - reach) / pixel_spacing_mm).astype(int)
    side = int(np.ceil(2 * reach / pixel_spacing_mm)) + 2
    origin = low * pixel_spacing_mm - np.array(center_mm)
    patch = _paint(form, lesion, origin, side, pixel_spacing_mm)
    left, top = np.maximum(low, 0)
    right, bottom = np.minimum(low + side, (width, height))
    if left < right and top < bottom:
        shown = patch[top - low[1] : bottom - low[1], left - low[0] : right - low[0]]
        image[top:bottom, left:right] += shown


def _tips(form: LesionForm) -> list[Points]:
    return [form.spicules[:, 2:4]] if len(form.spicules) else []


def _paint(form: LesionForm, lesion: Lesion, origin: Points, side: int, spacing: float) -> Image:
    """Draw the form on a finer grid whose corner is ``origin`` and average it down."""
    finer = math.ceil(spacing / _STEP_MM[lesion.kind])
    step = spacing / finer
    canvas = np.zeros((side * finer, side * finer), np.float32)

    def pixels(points: Points) -> NDArray[np.int32]:
        return np.round(((points - origin) / step - 0.5) * 256).astype(np.int32)

    def fill(points: Points) -> None:
        cv2.fillPoly(canvas, [pixels(points)[:, None]], 1.0, cv2.LINE_8, shift=8)

    if lesion.kind is LesionKind.CALCIFICATION:
        for speck in form.specks:
            fill(speck)
        soft_mm = 0.1
    else:
        fill(form.outline)
        core = canvas * _dome(canvas)
        canvas[:] = 0
        for x0, y0, x1, y1, width in form.spicules:
            _draw_spicule(canvas, pixels(np.array([[x0, y0], [x1, y1]])), width / step)
        canvas = np.maximum(canvas, core)
        soft_mm = 0.4
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), max(soft_mm / spacing, 0.05))
    return np.asarray(lesion.contrast * blurred, np.float32)


def _dome(mask: Image) -> Image:
    """Return a thickness that rises from the margin, as a ball's shadow does."""
    inward = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 3)
    t = np.clip(inward / max(float(inward.max()), 1.0), 0, 1)
    return np.asarray(0.35 + 0.65 * np.sqrt(1 - (1 - t) ** 2), np.float32)


def _draw_spicule(canvas: Image, ends: NDArray[np.int32], width_px: float) -> None:
    """Draw a line that thins out and fades from root to tip."""
    parts = 5
    for part in range(parts):
        start, stop = part / parts, (part + 1) / parts
        a, b = (ends[0] + f * (ends[1] - ends[0]) for f in (start, stop))
        value = 0.9 * (1 - 0.7 * start)
        thick = max(round(width_px * (1 - 0.7 * start)), 1)
        line = np.stack([a, b])[:, None].astype(np.int32)
        cv2.polylines(canvas, [line], False, value, thick, cv2.LINE_8, shift=8)
