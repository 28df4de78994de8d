"""Which grey a stored value of an image gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast import Breast, subsample
from mammography.functional.breast_mask import Mask
from mammography.functional.intensity import (
    INVERT,
    WHITE,
    Line,
    Map,
    Values,
    VoiFunction,
    Window,
    apply_maps,
    display,
    stretch,
)
from mammography.preparation.headers.header import Header
from mammography.preparation.options import PreparationOptions

_CLIPPED = 0.25  # A window that clips a larger share of the tissue is doubted,
_FLAT = 0.01  # and one that spends less of the grey on nine tenths of it.


@dataclass(frozen=True)
class MinusLog:
    """Negative natural logarithm, of the intensity of X-rays: thickness counts evenly.

    Attributes:
        least: Smallest intensity; lower ones count as it.
    """

    least: float

    def __call__(self, values: Values) -> Values:
        """Return the logarithms."""
        logarithms: Values = -np.log(np.maximum(values, self.least))
        return logarithms


def takes_logarithm(header: Header, options: PreparationOptions) -> bool:
    """Whether the logarithm of the values is taken."""
    is_linear = header.raw is not None and not header.raw.is_logarithm
    return is_linear and options.for_processing == "log"


def density_maps(stored: NDArray[Any], header: Header, options: PreparationOptions) -> list[Map]:
    """Return maps from stored values to ones that are high where the breast is dense."""
    maps: list[Map] = [header.modality] if header.modality else []
    low, high = sorted(apply_maps(value_range(stored, header), maps).tolist())
    if not takes_logarithm(header, options):
        return [*maps, Line(-1.0, high)] if header.inverted else maps
    if not header.inverted:  # Intensity runs against the values.
        maps.append(Line(-1.0, low + high))
    return [*maps, MinusLog(max(high, -low) / WHITE)]


def without_padding(
    stored: NDArray[Any], header: Header, density: list[Map]
) -> NDArray[np.float64]:
    """Return density, with values that stand for no image set to the lowest other one."""
    values = apply_maps(stored, density)
    if header.padding is None or not values.size:
        return values
    padded = is_padding(stored, header.padding)
    return np.where(padded, np.min(values, where=~padded, initial=values.max()), values)


def is_padding(stored: NDArray[Any], padding: tuple[float, float]) -> Mask:
    """Return where a picture holds values that stand for no image."""
    found: Mask = (stored >= padding[0]) & (stored <= padding[1])
    return found


def grey_part(
    stored: NDArray[Any],
    box: tuple[int, int, int, int],
    header: Header,
    breast: Breast,
    to_grey: Sequence[Map],
) -> NDArray[np.uint16]:
    """Return a part of the image as grey; what stands for no image is black.

    But not in the midst of the breast: a value that occurs there is no padding, whatever
    the header says.
    """
    left, top, right, bottom = box
    part = stored[top:bottom, left:right]
    grey = display(part, to_grey)
    # Seldom: padding is dark, but where a header lets it be brighter than the skin.
    if header.padding and apply_maps(np.array(header.padding), to_grey).max() > 0:
        core = breast.core().mask_in(box, (bottom - top, right - left))
        grey[is_padding(part, header.padding) & ~core] = 0
    return grey


def grey_maps(
    stored: NDArray[Any], header: Header, breast: Breast, options: PreparationOptions
) -> tuple[list[Map], dict[str, Any], list[str]]:
    """Choose how stored values become grey.

    Returns:
        The maps from stored values to grey from 0 to 1, what they are in plain values, and
        doubts about them.
    """
    small = subsample(stored)[0]
    density = density_maps(stored, header, options)
    # A window is one for the values as they are, not for their logarithms.
    voi = None if takes_logarithm(header, options) else header.voi
    if options.voi == "auto" and voi is not None:
        maps = [header.modality, voi] if header.modality else [voi]
        grey = apply_maps(small[breast.tissue], maps)
        clipped = float(np.mean((grey <= 0) | (grey >= 1)))
        implant = ", which holds an implant" if header.implant else ""
        doubts = [f"the window clips much of the breast{implant}"] if clipped > _CLIPPED else []
        if not doubts and np.ptp(np.percentile(grey, (5, 95))) < _FLAT:
            doubts = ["the window leaves the breast hardly any contrast"]
        return maps + [INVERT] * header.inverted, dict(header.facts["voi"]), doubts
    if options.voi == "none":
        ends = apply_maps(value_range(stored, header), density)
        window = Window(float(ends.mean()), float(np.ptp(ends)), VoiFunction.LINEAR_EXACT)
    else:
        values = small[breast.mask]
        shown = values[~is_padding(values, header.padding)] if header.padding else values
        window = stretch(apply_maps(shown, density))
    kind = "none" if options.voi == "none" else "stretch"
    low, high = window.center - window.width / 2, window.center + window.width / 2
    squeezed = kind == "stretch" and header.implant
    doubts = ["the grey is spread over breast and implant"] if squeezed else []
    return [*density, window], {"kind": kind, "low": low, "high": high}, doubts


def value_range(stored: NDArray[Any], header: Header) -> NDArray[Any]:
    """Return the lowest and highest value that can be stored; of real numbers, that is."""
    bits = header.bits_stored
    if stored.dtype.kind == "u":
        return np.array([0, (1 << bits) - 1])
    if stored.dtype.kind == "i":
        return np.array([-(1 << (bits - 1)), (1 << (bits - 1)) - 1])
    return np.array([stored.min(), stored.max()])
