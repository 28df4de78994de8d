"""Stored pixel values to display values: modality, window, lookup table, stretch, inversion.

A map takes values and gives values; :func:`display` puts a chain of maps into one table
and looks up the whole image in it, which is exact and as fast for a sigmoid as for a line.

References:
    DICOM PS3.3, C.11.1 (modality LUT) and C.11.2 (VOI LUT).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Map = Callable[[Values], Values]

WHITE = 65535
# At most one breast pixel in 10,000 is clipped, so that calcifications keep their contrast.
_STRETCH_PERCENTILES = (0.1, 99.99)


class VoiFunction(StrEnum):
    """How a window turns values into grey, DICOM VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Rescale:
    """Line from stored to modality values.

    Attributes:
        slope: Rescale Slope.
        intercept: Rescale Intercept.
    """

    slope: float
    intercept: float

    def __call__(self, values: Values) -> Values:
        """Return modality values."""
        return values * self.slope + self.intercept


@dataclass(frozen=True, eq=False)
class LookupTable:
    """Table from whole values to values.

    Attributes:
        first: Value that the first entry belongs to; lower values take it too.
        entries: Outputs; values beyond the last take the last.
        white: Output that means 1; none for a modality table, whose outputs are kept.
    """

    first: int
    entries: NDArray[np.integer]
    white: float | None = None

    def __call__(self, values: Values) -> Values:
        """Return the entry of each value, divided by ``white``."""
        index = np.clip(np.floor(values) - self.first, 0, len(self.entries) - 1)
        outputs: Values = self.entries[index.astype(np.intp)] / (self.white or 1.0)
        return outputs


@dataclass(frozen=True)
class Window:
    """Range of values that the greys are spent on.

    Attributes:
        center: Window Center.
        width: Window Width; at least 1 for LINEAR, more than 0 for the others.
        function: Form of the curve.

    Raises:
        ValueError: If the width does not suit the function or a number is not finite.

    Example:
        >>> Window(2048, 4096)(np.array([0.0, 2047.5, 4095.0]))
        array([0. , 0.5, 1. ])
    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR

    def __post_init__(self) -> None:
        """Check the width."""
        wide = self.width >= 1 if self.function is VoiFunction.LINEAR else self.width > 0
        if not (wide and np.isfinite([self.center, self.width]).all()):
            rule = "at least 1" if self.function is VoiFunction.LINEAR else "more than 0"
            raise ValueError(
                f"window: width must be {rule} and finite for {self.function.value}, "
                f"got width {self.width} and center {self.center}"
            )

    def __call__(self, values: Values) -> Values:
        """Return grey from 0 to 1."""
        center, width = self.center, self.width
        if self.function is VoiFunction.SIGMOID:
            with np.errstate(over="ignore"):  # exp overflows to infinity: grey 0.
                grey: Values = 1 / (1 + np.exp(-4 * (values - center) / width))
            return grey
        if self.function is VoiFunction.LINEAR:
            center, width = center - 0.5, width - 1
        if width == 0:
            return (values > center).astype(np.float64)
        line: Values = np.clip((values - center) / width + 0.5, 0, 1)
        return line


def stretch(values: NDArray[Any]) -> Window:
    """Return the window that spans values, but for their outliers.

    Args:
        values: Values of breast pixels; a sample will do.

    Example:
        >>> window = stretch(np.arange(10001))
        >>> round(window.center - window.width / 2), round(window.center + window.width / 2)
        (10, 9999)
    """
    low, high = (float(v) for v in np.percentile(values, _STRETCH_PERCENTILES))
    return Window((low + high) / 2, max(high - low, 1e-6), VoiFunction.LINEAR_EXACT)


def invert(grey: Values) -> Values:
    """Return the negative of grey from 0 to 1."""
    return 1 - grey


def chain(*maps: Map) -> Map:
    """Return the map that applies others from left to right."""

    def apply(values: Values) -> Values:
        for step in maps:
            values = step(values)
        return values

    return apply


def display(image: NDArray[Any], to_grey: Map) -> NDArray[np.uint16]:
    """Return an image as 16-bit grey over the full range.

    Shapes:
        image: (H, W).

    Args:
        image: Stored values; whole numbers of 8 or 16 bits go through one table.
        to_grey: Map from stored values to grey from 0 to 1.

    Example:
        >>> image = np.array([[0, 500, 1000]], np.int16)
        >>> display(image, Window(500, 1000, VoiFunction.LINEAR_EXACT))
        array([[    0, 32768, 65535]], dtype=uint16)
    """
    if image.dtype.kind not in "ui" or image.itemsize > 2:
        return _to_uint16(to_grey(image.astype(np.float64)))
    unsigned = np.dtype(f"u{image.itemsize}")
    stored = np.arange(1 << (8 * image.itemsize)).astype(unsigned).view(image.dtype)
    table = _to_uint16(to_grey(stored.astype(np.float64)))
    grey: NDArray[np.uint16] = cv2.LUT(image.view(unsigned), table)
    return grey


def _to_uint16(grey: Values) -> NDArray[np.uint16]:
    return np.rint(np.clip(grey, 0, 1) * WHITE).astype(np.uint16)
