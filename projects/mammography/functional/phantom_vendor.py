"""How a machine turns brightness into stored pixels: its look.

Four invented makers differ in contrast curve, sharpness, noise, background, bits,
polarity, window and pixel size, as real ones do.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.terms import Laterality

Image = NDArray[np.float32]
Pixels = NDArray[np.uint16]

_LUT_GAMMA = 1.3


class Voi(StrEnum):
    """How the header says that stored values are shown."""

    NONE = "none"
    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"
    LUT = "lut"


@dataclass(frozen=True)
class VendorLook:
    """The look of one machine.

    Attributes:
        manufacturer: Name in the header.
        gamma: Exponent of the contrast curve: above 1 darkens fat.
        steepness: S-shape of the contrast curve, as film has it; 0 is none.
        blur_mm: Standard deviation of the blur.
        noise: Standard deviation of the noise, per full range, in mid-bright tissue.
        background: Level and noise of the air, per full range; 0 is exactly 0.
        signal_range: Where air-dark and densest lie within the stored range.
        bits_stored: 12 to 16.
        monochrome1: Whether stored values are inverted.
        voi: What the header says about display.
        rescale: Slope and intercept of the modality LUT.
        transfer_syntax: UID of the encoding.
        resolution: Pixels per length, relative to the size of the study's images.
        film_edges: Whether the upper and lower edge are white, as from a scanner.

    Raises:
        ValueError: If a value lies outside what it may be.
    """

    manufacturer: str
    gamma: float = 1.0
    steepness: float = 0.0
    blur_mm: float = 0.15
    noise: float = 0.012
    background: float = 0.0
    signal_range: tuple[float, float] = (0.05, 0.85)
    bits_stored: int = 12
    monochrome1: bool = False
    voi: Voi = Voi.LINEAR
    rescale: tuple[float, float] = (1.0, 0.0)
    transfer_syntax: str = "1.2.840.10008.1.2.1"
    resolution: float = 1.0
    film_edges: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn or written."""
        rules = {
            "gamma must be > 0": self.gamma > 0,
            "steepness must be >= 0": self.steepness >= 0,
            "bits_stored must be 8 to 16": 8 <= self.bits_stored <= 16,
            "resolution must be > 0": self.resolution > 0,
            "signal_range must rise within 0 to 1": 0
            <= self.signal_range[0]
            < self.signal_range[1]
            <= 1,
            "rescale must keep slope 1 with a VOI LUT": self.voi is not Voi.LUT
            or self.rescale[0] == 1,
        }
        for rule, holds in rules.items():
            if not holds:
                value = getattr(self, rule.split(maxsplit=1)[0])
                raise ValueError(f"VendorLook {self.manufacturer}: {rule}, got {value}")

    @property
    def largest(self) -> int:
        """Largest stored value."""
        return int(2**self.bits_stored - 1)


VENDORS = {
    "alpha": VendorLook(
        "Alpha Imaging",
        noise=0.012,
        signal_range=(0.08, 0.72),
        transfer_syntax="1.2.840.10008.1.2.4.70",
    ),
    "beryl": VendorLook(
        "Beryl Medical Systems",
        gamma=0.8,
        noise=0.02,
        blur_mm=0.1,
        signal_range=(0.15, 0.9),
        bits_stored=14,
        monochrome1=True,
        voi=Voi.SIGMOID,
    ),
    "cobalt": VendorLook(
        "Cobalt Film Scanners",
        steepness=5.0,
        blur_mm=0.3,
        noise=0.018,
        background=0.02,
        signal_range=(0.03, 0.95),
        bits_stored=16,
        voi=Voi.NONE,
        transfer_syntax="1.2.840.10008.1.2.5",
        resolution=0.8,
        film_edges=True,
    ),
    "delta": VendorLook(
        "Delta Mammo",
        gamma=1.25,
        noise=0.008,
        signal_range=(0.02, 0.6),
        bits_stored=12,
        voi=Voi.LUT,
        transfer_syntax="1.2.840.10008.1.2.4.70",
        resolution=1.25,
    ),
}


def contrast_curve(brightness: Image, look: VendorLook) -> Image:
    """Map brightness 0 to 1 onto 0 to 1, rising everywhere.

    Args:
        brightness: Any shape.
        look: Its ``gamma`` and ``steepness`` decide.

    Example:
        >>> fat_and_gland = np.array([0.25, 0.5], np.float32)
        >>> contrast_curve(fat_and_gland, VendorLook("Darker", gamma=2.0)).tolist()
        [0.0625, 0.25]
    """
    curved = np.clip(brightness, 0, 1) ** np.float32(look.gamma)
    if look.steepness:
        low, high = (np.tanh(look.steepness * (v - 0.45) / 2) for v in (0.0, 1.0))
        curved = (np.tanh(look.steepness * (curved - 0.45) / 2) - low) / (high - low)
    return np.asarray(curved, np.float32)


def digitise(
    rng: np.random.Generator,
    image: Image,
    mask: NDArray[np.bool_],
    look: VendorLook,
    pixel_spacing_mm: float,
    label: str = "",
    laterality: Laterality = Laterality.LEFT,
) -> Pixels:
    """Turn brightness into what the machine stores.

    Args:
        rng: Source of the noise.
        image: ``(H, W)`` brightness, 0 to 1.
        mask: Where the breast is.
        look: The machine.
        pixel_spacing_mm: Size of a pixel.
        label: Text burnt in far from the chest wall, e.g. ``RCC``.
        laterality: Side of the breast.

    Returns:
        ``(H, W)`` stored values.
    """
    low, high = look.signal_range
    sigma = look.blur_mm / pixel_spacing_mm
    soft = cv2.GaussianBlur(image, (0, 0), sigma) if sigma > 0.2 else image
    level = contrast_curve(soft, look)
    grain = rng.standard_normal(image.shape, dtype=np.float32)
    level += np.float32(look.noise) * (0.5 + level) * grain
    signal = np.clip(low + (high - low) * level, 1 / look.largest, 1)
    air = np.clip(look.background * (1 + 0.3 * grain), 0, 1) if look.background else 0.0
    share = np.where(mask, signal, air).astype(np.float32)
    if look.film_edges:
        rows = max(round(1.5 / pixel_spacing_mm), 1)
        share[:rows] = share[-rows:] = 0.97
    if label:
        _burn_in(share, label, laterality, pixel_spacing_mm)
    stored = np.round(share * np.float32(look.largest)).astype(np.uint16)
    return np.asarray(look.largest - stored if look.monochrome1 else stored, np.uint16)


def _burn_in(share: Image, label: str, laterality: Laterality, spacing: float) -> None:
    """Write the label into the upper corner on the nipple's side, at the full range."""
    scale, thick = 10 / spacing / 22, max(round(1.6 / spacing), 1)
    (wide, high), _ = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    margin = round(4 / spacing)
    left = share.shape[1] - margin - wide if laterality is Laterality.LEFT else margin
    origin = (max(left, 0), margin + high)
    text = np.zeros((min(2 * margin + 2 * high, len(share)), share.shape[1]), np.uint8)
    cv2.putText(text, label, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thick, cv2.LINE_8)
    share[: len(text)][text > 127] = 1.0


def display_header(look: VendorLook) -> dict[str, Any]:
    """Return what the header says about display, by DICOM keyword.

    Returns:
        ``WindowCenter``, ``WindowWidth`` and ``VOILUTFunction``, or ``LUTDescriptor`` and
        ``LUTData`` of a VOI LUT, or nothing.
    """
    low, high = (v * look.largest for v in look.signal_range)
    if look.voi is Voi.NONE:
        return {}
    if look.voi is Voi.LUT:
        return _voi_lut(look, low, high)
    center, width = (low + high) / 2, high - low
    if look.voi is Voi.LINEAR:  # PS3.3 C.11.2.1.2.1 measures from the pixel's middle
        center, width = center + 0.5, width + 1
    if look.monochrome1:
        center = look.largest - center + (1 if look.voi is Voi.LINEAR else 0)
    slope, intercept = look.rescale
    return {
        "WindowCenter": round(center * slope + intercept, 3),
        "WindowWidth": round(width * slope, 3),
        "VOILUTFunction": look.voi.value,
    }


def _voi_lut(look: VendorLook, low: float, high: float) -> dict[str, Any]:
    stored = np.arange(look.largest + 1)
    if look.monochrome1:
        stored = stored[::-1]
    shown = np.clip((stored - low) / (high - low), 0, 1) ** _LUT_GAMMA
    values = np.round(shown * 65535).astype(np.uint16)
    if look.monochrome1:
        values = 65535 - values
    entries = (look.largest + 1) % 65536  # PS3.3 C.11.2.1.1: 0 stands for 65536
    return {"LUTDescriptor": [entries, round(look.rescale[1]), 16], "LUTData": values.tobytes()}
