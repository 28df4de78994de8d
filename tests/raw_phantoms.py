"""Invented images FOR PROCESSING: what a detector counts behind a compressed breast."""

from dataclasses import dataclass

import cv2
import numpy as np

BITS = 14
LARGEST = (1 << BITS) - 1
PIXEL_MM = 0.4
FAT_PER_MM, GLAND_PER_MM = 0.055, 0.095  # At about 20 keV.
THICKNESS_MM = 50


@dataclass(frozen=True)
class RawPhantom:
    """What a detector counts, and the truth.

    Attributes:
        intensity: ``(H, W)`` counts, 0 to ``LARGEST``.
        attenuation: ``(H, W)`` minus logarithm of the share that passes; 0 in air.
    """

    intensity: np.ndarray
    attenuation: np.ndarray

    @property
    def mask(self):
        """Where the breast is, but for less than a fifth of a millimetre of it."""
        return self.attenuation > 0.2 * FAT_PER_MM

    def stored(self, dense="low", logarithm=False):
        """Return stored values of which low or high ones are dense."""
        values = self.intensity
        if logarithm:
            values = np.log(np.maximum(values, 1)) / np.log(LARGEST) * LARGEST
        values = values if dense == "low" else LARGEST - values
        return np.clip(np.round(values), 0, LARGEST).astype(np.uint16)


def draw_raw(size_hw=(640, 500), seed=0, side="L", air=9000, dead_border=0):
    """Draw a breast that is flat between the paddles and round at its skin.

    Args:
        size_hw: Rows and columns.
        seed: Seed of the tissue and of the noise.
        side: Of the chest wall, L for left.
        air: Counts where there is no breast.
        dead_border: Rows and columns at all edges that count nothing.
    """
    rng = np.random.default_rng(seed)
    height, width = size_hw
    y, x = np.mgrid[:height, :width]
    depth = 1 - np.hypot(x / (0.62 * width), (y - height / 2) / (0.38 * height))
    rim = np.clip(depth / 0.25, 0, 1)
    thickness = THICKNESS_MM * np.sqrt(1 - (1 - rim) ** 2)
    blobs = cv2.GaussianBlur(rng.standard_normal(size_hw), (0, 0), 0.02 * height)
    gland = np.clip(0.3 + 0.25 * blobs / blobs.std(), 0, 1) * np.clip(depth / 0.4, 0, 1)
    attenuation = thickness * (FAT_PER_MM + (GLAND_PER_MM - FAT_PER_MM) * gland)
    # Less reaches the detector away from the chest wall (heel effect).
    beam = air * (1 - 0.08 * x / width)
    counts = rng.poisson(beam * np.exp(-attenuation)) + rng.normal(0, 3, size_hw)
    if dead_border:
        alive = np.zeros(size_hw, bool)
        alive[dead_border:-dead_border, dead_border:-dead_border] = True
        counts = np.where(alive, counts, 0)
    if side == "R":
        counts, attenuation = counts[:, ::-1], attenuation[:, ::-1]
    return RawPhantom(np.clip(counts, 0, LARGEST), np.ascontiguousarray(attenuation))
