"""Small pictures of prepared mammograms, for looking at only."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_SIDE = 300
LOW_PERCENT, HIGH_PERCENT = 1.0, 99.5
STRETCH = (
    f"Grey values are stretched for display: black is the {LOW_PERCENT:g}st and white the "
    f"{HIGH_PERCENT:g}th percentile of the breast (pixels above 0) of each picture."
)


@dataclass(frozen=True)
class Thumbnail:
    """A small picture as a ``data:`` address, and the size of the image it shows."""

    data_uri: str
    size_hw: tuple[int, int]


def make_thumbnail(path: Path) -> Thumbnail:
    """Read an 8- or 16-bit image and make it small.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no image.
    """
    image = _read(path)
    if image.ndim == 3:
        image = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
    return Thumbnail(_encode(stretch_for_display(_shrink(image))), image.shape)


def make_overlay(path: Path) -> str:
    """Read a map of where a model looked and make it small, as a ``data:`` address.

    A grey map becomes colours that grow less transparent with its values; colours stay.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no image.
    """
    image = _shrink(_read(path))
    if image.dtype != np.uint8:
        image = np.asarray(image / max(float(np.iinfo(image.dtype).max), 1) * 255, np.uint8)
    if image.ndim == 2:
        image = np.dstack([cv2.applyColorMap(image, cv2.COLORMAP_INFERNO), image])
    return _encode(image)


def _read(path: Path) -> NDArray[Any]:
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED) if encoded.size else None
    if image is None:
        raise ValueError(f"{path} must be an image, got {encoded.size} bytes that are none")
    return np.asarray(image)


def _shrink(image: NDArray[Any]) -> NDArray[Any]:
    height, width = image.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA))


def _encode(image: NDArray[np.uint8]) -> str:
    _, png = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return f"data:image/png;base64,{base64.b64encode(png.tobytes()).decode()}"


def stretch_for_display(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Spread the grey values of the breast over 8 bits; the background stays black.

    Shapes:
        image, result: (H, W)

    Args:
        image: Grey values, 0 outside the breast.

    Example:
        >>> stretch_for_display(np.array([[0, 100, 150, 200]])).tolist()
        [[0, 0, 127, 255]]
    """
    breast = image[image > 0]
    if not breast.size:
        return np.zeros(image.shape, np.uint8)
    low, high = np.percentile(breast, [LOW_PERCENT, HIGH_PERCENT])
    grey = (image.astype(np.float64) - low) / max(high - low, 1e-12)
    return np.asarray(np.rint(np.clip(grey, 0, 1) * 255), np.uint8)
