"""The tissue of a synthetic breast: fat, fibroglandular tissue, strands, vessels, muscle.

Brightness is what a processed mammogram shows: 0 is air, 1 the densest. The texture is
noise whose power falls with spatial frequency as ``1 / f ** beta``, beta near 3.

References:
    Burgess, Jacobson, Judy. Human observer detection experiments with mammograms and
    power-law noise. Medical Physics 28(4), 2001, eq. 1.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from mammography.functional.phantom_shape import (
    BreastShape,
    nipple_height_mm,
    pectoral_width_mm,
    skin_depth_mm,
)
from mammography.terms import ViewPosition

Image = NDArray[np.float32]


@dataclass(frozen=True)
class Grid:
    """A raster over the field of view.

    Attributes:
        size_hw: Rows and columns.
        spacing_mm: Size of a pixel.
    """

    size_hw: tuple[int, int]
    spacing_mm: float

    @property
    def x(self) -> NDArray[np.float64]:
        """Centres of the columns in mm, ``(W,)``."""
        return np.asarray((np.arange(self.size_hw[1]) + 0.5) * self.spacing_mm, float)

    @property
    def y(self) -> NDArray[np.float64]:
        """Centres of the rows in mm, ``(H,)``."""
        return np.asarray((np.arange(self.size_hw[0]) + 0.5) * self.spacing_mm, float)


def power_law_noise(
    rng: np.random.Generator, grid: Grid, beta: float, longest_mm: float = 60.0
) -> Image:
    """Draw noise of power ``1 / f ** beta``, of mean 0 and standard deviation 1.

    Args:
        rng: Source of chance.
        grid: Where.
        beta: Exponent of the power spectrum; 0 is white.
        longest_mm: Wave length from which the spectrum is flat.

    Returns:
        ``(H, W)`` float32.

    Example:
        >>> noise = power_law_noise(np.random.default_rng(0), Grid((64, 48), 1.0), beta=3.0)
        >>> noise.shape, round(float(noise.std()), 3)
        ((64, 48), 1.0)
    """
    height, width = grid.size_hw
    spectrum = scipy.fft.rfft2(rng.standard_normal(grid.size_hw, dtype=np.float32))
    fy = scipy.fft.fftfreq(height, grid.spacing_mm).astype(np.float32)[:, None]
    fx = scipy.fft.rfftfreq(width, grid.spacing_mm).astype(np.float32)
    spectrum *= (fx**2 + fy**2 + np.float32(longest_mm**-2)) ** np.float32(-beta / 4)
    noise = scipy.fft.irfft2(spectrum, s=grid.size_hw)
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def breast_mask(grid: Grid, shape: BreastShape, view: ViewPosition) -> NDArray[np.bool_]:
    """Return where the breast is, ``(H, W)``."""
    return np.asarray(grid.x < skin_depth_mm(shape, view, grid.y)[:, None])


def draw_tissue(
    rng: np.random.Generator, grid: Grid, shape: BreastShape, view: ViewPosition, density: float
) -> Image:
    """Draw a breast without lesions.

    Args:
        rng: Source of chance.
        grid: Where.
        shape: Outline of the breast.
        view: CC or MLO.
        density: 0 (almost all fat) to 1 (extremely dense).

    Returns:
        ``(H, W)`` float32: 0 outside the breast, about 0.1 to 0.85 inside.
    """
    mask = breast_mask(grid, shape, view)
    coarse = power_law_noise(rng, grid, 3.2)
    fine = power_law_noise(rng, grid, 2.8, longest_mm=12)
    region = _glandular_region(grid, shape, view, coarse, density)
    ducts = _toward_nipple(power_law_noise(rng, grid, 3.0, longest_mm=20), grid, shape, view)
    net = power_law_noise(rng, grid, 3.2, longest_mm=24)
    strands = _curves(ducts) + _curves(net) * (0.4 + 0.4 * region)
    lumps = np.clip(0.6 + 0.2 * coarse + 0.14 * ducts + 0.05 * fine, 0.1, 1.2)
    tissue = 0.23 + 0.012 * fine + region * (0.13 + 0.22 * density) * lumps
    tissue += strands * (0.05 + 0.04 * region)
    tissue += 0.06 * _vessels(rng, grid, shape, view)
    tissue = _add_muscle(tissue, grid, shape, view, fine)
    shown = 0.05 + _thickness(grid, mask) * (np.clip(tissue, 0.08, 0.85) - 0.03)
    return np.where(mask, shown, 0).astype(np.float32)


def _thickness(grid: Grid, mask: NDArray[np.bool_], edge_mm: float = 22.0) -> Image:
    """Return the compressed thickness: 1 inside, a quarter circle towards the skin."""
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inward = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    t = np.clip(inward * np.float32(grid.spacing_mm / edge_mm), 0, 1)
    return np.asarray(np.sqrt(np.maximum(1 - (1 - t) ** 2, 0)), np.float32)


def _curves(noise: Image) -> Image:
    """Return thin bright curves, 0 to 1: the zero crossings of smooth noise."""
    return np.asarray(np.exp(-np.abs(noise) * 7), np.float32)


def _toward_nipple(noise: Image, grid: Grid, shape: BreastShape, view: ViewPosition) -> Image:
    """Bend noise so that its grain runs to the nipple, as ducts and ligaments do."""
    x = (shape.depth_mm + 12 - grid.x).astype(np.float32)[None]
    y = (grid.y - nipple_height_mm(shape, view)).astype(np.float32)[:, None]
    columns = np.hypot(x, y) * np.float32(0.35 / grid.spacing_mm)
    rows = np.arctan2(y, x) * np.float32(70 / grid.spacing_mm) + np.float32(grid.size_hw[0] / 2)
    bent = cv2.remap(noise, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(bent, np.float32)


def _smoothstep(value: Image) -> Image:
    t = np.clip(value, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def _glandular_region(
    grid: Grid, shape: BreastShape, view: ViewPosition, coarse: Image, density: float
) -> Image:
    """Return how glandular each place is, 0 to 1: a ragged cone behind the nipple."""
    tilt = 0.0 if view is ViewPosition.CC else 0.3  # towards the armpit
    x = (grid.x.astype(np.float32) / shape.depth_mm)[None]
    y = ((grid.y.astype(np.float32) - nipple_height_mm(shape, view)) / shape.half_height_mm)[
        :, None
    ]
    y = y + tilt * (1 - x)
    reach = 0.42 + 0.2 * density
    radius = np.hypot((x - 0.64) / (0.27 + 0.21 * density), y / reach)
    return _smoothstep((0.5 + 0.95 * density - radius + 0.4 * coarse) / 1.3 + 0.5)


def _vessels(rng: np.random.Generator, grid: Grid, shape: BreastShape, view: ViewPosition) -> Image:
    """Draw a few winding vessels, 0 to 1."""
    canvas = np.zeros(grid.size_hw, np.float32)
    for _ in range(int(rng.integers(2, 6))):
        x = np.linspace(rng.uniform(0, 0.3), rng.uniform(0.6, 0.95), 24) * shape.depth_mm
        turns = np.cumsum(rng.normal(0, 0.35, 24)) + rng.normal(0, 0.8)
        y = (
            nipple_height_mm(shape, view)
            + rng.uniform(-0.6, 0.6) * shape.half_height_mm
            + np.cumsum(turns)
        )
        points = np.round(np.stack([x, y], axis=1) / grid.spacing_mm * 16).astype(np.int32)
        width = max(round(rng.uniform(1.0, 2.2) / grid.spacing_mm), 1)
        cv2.polylines(canvas, [points[:, None]], False, 1.0, width, cv2.LINE_AA, shift=4)
    return np.asarray(cv2.GaussianBlur(canvas, (0, 0), max(0.6 / grid.spacing_mm, 0.3)), np.float32)


def _add_muscle(
    tissue: Image, grid: Grid, shape: BreastShape, view: ViewPosition, fine: Image
) -> Image:
    """Lay the pectoral muscle over the tissue, with an edge a few mm wide."""
    width = pectoral_width_mm(shape, view, grid.y)[:, None]
    if not width.any():
        return tissue
    inside = _smoothstep(((width - grid.x) / 6.0 + 0.5).astype(np.float32))
    inside *= _smoothstep((width / 6.0).astype(np.float32))
    # Thick at the armpit, thin where it ends.
    muscle = 0.4 + 0.2 * (width / width.max()).astype(np.float32) + 0.015 * fine
    return np.asarray(tissue + inside * np.maximum(muscle - tissue, 0), np.float32)
