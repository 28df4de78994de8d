"""Stored pixel values to display values: modality, window, lookup table, stretch, inversion.

A map takes values and gives values. :func:`display` applies several to an image in one pass:
straight lines as one scaling that saturates, all else through one table.

References:
    DICOM PS3.3, C.11.1 (modality LUT) and C.11.2 (VOI LUT).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Map = Callable[[Values], Values]

WHITE = 65535
_LARGEST_INTERCEPT = 16.0
# At most one breast pixel in 10,000 is clipped, so that calcifications keep their contrast.
_STRETCH_PERCENTILES = (0.1, 99.99)


class VoiFunction(StrEnum):
    """How a window turns values into grey, DICOM VOI LUT Function (0028,1056)."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True)
class Line:
    """Straight line, such as Rescale Slope and Intercept.

    Attributes:
        slope: Factor.
        intercept: Summand.
    """

    slope: float
    intercept: float

    def __call__(self, values: Values) -> Values:
        """Return the values on the line."""
        return values * self.slope + self.intercept


INVERT = Line(-1.0, 1.0)  # Grey from 0 to 1 to its negative.


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

    @property
    def line(self) -> Line | None:
        """The straight part of the window; none of a sigmoid or a step."""
        center, width = self.center, self.width
        if self.function is VoiFunction.LINEAR:
            center, width = center - 0.5, width - 1
        if self.function is VoiFunction.SIGMOID or width == 0:
            return None
        return Line(1 / width, 0.5 - center / width)

    def __call__(self, values: Values) -> Values:
        """Return grey from 0 to 1."""
        if self.line:
            return np.clip(self.line(values), 0, 1)
        if self.function is VoiFunction.LINEAR:
            return (values > self.center - 0.5).astype(np.float64)
        with np.errstate(over="ignore"):  # exp overflows to infinity: grey 0.
            grey: Values = 1 / (1 + np.exp(-4 * (values - self.center) / self.width))
        return grey


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


def apply_maps(values: NDArray[Any], maps: Sequence[Map]) -> Values:
    """Apply maps from left to right, in double precision."""
    results = values.astype(np.float64)
    for step in maps:
        results = step(results)
    return results


def display(image: NDArray[Any], maps: Sequence[Map]) -> NDArray[np.uint16]:
    """Return an image as 16-bit grey over the full range.

    Shapes:
        image: (H, W).

    Args:
        image: Stored values; whole numbers of 8 or 16 bits are fast.
        maps: From stored values to grey from 0 to 1, left to right. After a window or a
            table comes nothing but an inversion.

    Example:
        >>> image = np.array([[0, 500, 1000]], np.int16)
        >>> display(image, [Window(500, 1000, VoiFunction.LINEAR_EXACT), INVERT])
        array([[65535, 32768,     0]], dtype=uint16)
    """
    if image.dtype.kind not in "ui" or image.itemsize > 2:
        return _to_uint16(apply_maps(image, maps))
    line = _as_line(maps)
    grey: NDArray[np.uint16]
    # In single precision a large intercept would cost digits.
    if line and image.itemsize == 2 and abs(line.intercept) < _LARGEST_INTERCEPT:
        grey = cv2.addWeighted(
            image, line.slope * WHITE, image, 0, line.intercept * WHITE, dtype=cv2.CV_16U
        )
        return grey
    unsigned = np.dtype(f"u{image.itemsize}")
    stored = np.arange(1 << (8 * image.itemsize)).astype(unsigned).view(image.dtype)
    grey = cv2.LUT(image.view(unsigned), _to_uint16(apply_maps(stored, maps)))
    return grey


def _as_line(maps: Sequence[Map]) -> Line | None:
    """Join maps to one line if all are straight.

    The window clips to grey from 0 to 1, and saturation clips in the end: the same, since
    only an inversion lies between.
    """
    joined = Line(1.0, 0.0)
    for step in maps:
        line = step.line if isinstance(step, Window) else step
        if not isinstance(line, Line):
            return None
        joined = Line(joined.slope * line.slope, joined.intercept * line.slope + line.intercept)
    return joined


def _to_uint16(grey: Values) -> NDArray[np.uint16]:
    return np.rint(np.clip(grey, 0, 1) * WHITE).astype(np.uint16)
