"""A synthetic mammogram: breast, lesions and their outlines, before any machine's look."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.functional.phantom_lesion import Lesion, LesionForm, add_lesion, shape_lesion
from mammography.functional.phantom_shape import FIELD_HEIGHT_MM, BreastShape, fit_inside, project
from mammography.functional.phantom_tissue import Grid, breast_mask, draw_tissue
from mammography.terms import Laterality, ViewPosition

Image = NDArray[np.float32]


@dataclass(frozen=True)
class PhantomView:
    """All that decides how one view looks: the same values give the same pixels.

    Attributes:
        laterality: Side; the chest wall is at the left edge for L, the right for R.
        view_position: CC or MLO.
        shape: Outline of the breast.
        density: 0 (almost all fat) to 1 (extremely dense).
        lesions: What lies in the breast.
        size_hw: Rows and columns; the rows span 224 mm.
        seed: Numbers that decide texture and form.
    """

    laterality: Laterality = Laterality.LEFT
    view_position: ViewPosition = ViewPosition.CC
    shape: BreastShape = field(default_factory=BreastShape)
    density: float = 0.4
    lesions: tuple[Lesion, ...] = ()
    size_hw: tuple[int, int] = (1024, 832)
    seed: tuple[int, ...] = (0,)

    @property
    def pixel_spacing_mm(self) -> float:
        """Size of a pixel."""
        return FIELD_HEIGHT_MM / self.size_hw[0]

    def rng(self, purpose: int) -> np.random.Generator:
        """Return the generator of one purpose, so that none disturbs another."""
        return np.random.default_rng([*self.seed, purpose])


@dataclass(frozen=True)
class PlacedLesion:
    """A lesion as one view shows it.

    Attributes:
        lesion: What it is.
        form: Its form in mm around ``center_mm``, as in a left breast.
        center_mm: ``(x, y)`` in a left breast.
        outline: ``(N, 2)`` polygon in pixels of the image; pixel i covers [i, i + 1).
    """

    lesion: Lesion
    form: LesionForm
    center_mm: tuple[float, float]
    outline: NDArray[np.float64]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the outline."""
        (left, top), (right, bottom) = self.outline.min(axis=0), self.outline.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def place_lesions(view: PhantomView) -> tuple[PlacedLesion, ...]:
    """Return where and how a view shows its lesions, without drawing it."""
    return tuple(_place(view, number) for number in range(len(view.lesions)))


def _place(view: PhantomView, number: int) -> PlacedLesion:
    lesion = view.lesions[number]
    form = shape_lesion(view.rng(1000 + number), lesion)
    reach = float(np.hypot(*form.outline.T).max()) + 3.0
    where = project(view.shape, view.view_position, lesion.position)
    center = fit_inside(view.shape, view.view_position, where, reach)
    outline = (form.outline + center) / view.pixel_spacing_mm
    if view.laterality is Laterality.RIGHT:
        outline[:, 0] = view.size_hw[1] - outline[:, 0]
    return PlacedLesion(lesion, form, center, outline)


def draw_phantom(view: PhantomView) -> tuple[Image, NDArray[np.bool_]]:
    """Draw a view.

    The tissue does not depend on the lesions: without them the same seed gives the same
    breast.

    Args:
        view: What to draw.

    Returns:
        Brightness ``(H, W)`` float32, 0 outside the breast and up to 1 inside, and the
        mask of the breast.

    Example:
        >>> image, mask = draw_phantom(PhantomView(size_hw=(128, 104)))
        >>> image.shape, bool((image[mask] > 0).all()), float(image[~mask].max())
        ((128, 104), True, 0.0)
    """
    full = Grid(view.size_hw, view.pixel_spacing_mm)
    height, width = view.size_hw
    # Tissue has no detail finer than half a millimetre: draw it coarser where that is finer.
    coarse = max(int(0.5 / full.spacing_mm), 1)
    grid = Grid((-(-height // coarse), -(-width // coarse)), full.spacing_mm * coarse)
    tissue = draw_tissue(view.rng(0), grid, view.shape, view.view_position, view.density)
    mask = breast_mask(full, view.shape, view.view_position)
    image = tissue
    if coarse > 1:
        size = (grid.size_hw[1] * coarse, grid.size_hw[0] * coarse)  # OpenCV: (width, height)
        image = cv2.resize(tissue, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    image = np.ascontiguousarray(image)
    for placed in place_lesions(view):
        add_lesion(image, placed.form, placed.lesion, placed.center_mm, full.spacing_mm)
    # Half a coarse pixel at the skin was mixed with air.
    image = np.where(mask, np.clip(image, 0.04, 1), 0).astype(np.float32)
    if view.laterality is Laterality.RIGHT:
        image, mask = image[:, ::-1].copy(), mask[:, ::-1].copy()
    return image, mask
