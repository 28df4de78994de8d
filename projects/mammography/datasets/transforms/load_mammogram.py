"""Read an image file without losing bits."""

from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio
from mmpretrain.registry import TRANSFORMS
from numpy.typing import NDArray

from mammography.functional.pixel_cache import decode_pixels
from mammography.functional.png16 import SIGNATURE, decode_png16
from mammography.structures.pixel_cache import (
    CACHE_KINDS,
    CacheKind,
    cache_path,
    png_checksum,
)

_NPY = b"\x93NUMPY"


def read_mammogram(path: str, cache: CacheKind | None = None) -> NDArray[Any]:
    """Return the pixels of a PNG, NPY, TIFF or PGM file as they are stored.

    Shapes:
        Output ``(H, W)``.

    Args:
        path: The file.
        cache: Take the pixels from the cache beside it instead
            (:func:`read_cached_mammogram`).

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If it does not hold one whole grey image. Both name the file.
    """
    if cache is not None:
        return read_cached_mammogram(path, cache)
    try:
        data = fileio.get(path)
    except OSError as error:  # a failing read does not name the file by itself
        raise OSError(error.errno, error.strerror, path) from error
    try:
        image = _decode(data)
    except (ValueError, cv2.error) as error:
        raise ValueError(f"{path}: image must be readable: {error}") from error
    if image.ndim == 3 and (image == image[..., :1]).all():
        image = image[..., 0]  # the same grey in every channel
    if image.ndim != 2 or image.size == 0:
        raise ValueError(f"{path}: image must be grey, got shape {image.shape}")
    return image


def read_cached_mammogram(path: str, kind: CacheKind) -> NDArray[np.uint16]:
    """Return the pixels of a prepared PNG from the cache beside it.

    Shapes:
        Output ``(H, W)``.

    Args:
        path: The PNG, on a disk of this machine or a shared one.
        kind: How the pixels are stored.

    Raises:
        FileNotFoundError: If they are not stored.
        ValueError: If they are damaged, or are those of an earlier PNG.
    """
    remedy = f"run tools/prepare_dataset.py with --cache {kind}, or load without cache"
    stored = cache_path(Path(path), kind)
    try:
        image, checksum = decode_pixels(stored.read_bytes(), kind)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{stored} does not exist: {remedy}") from error
    except ValueError as error:
        raise ValueError(f"{stored}: cache must be readable: {error}: {remedy}") from error
    if checksum != png_checksum(Path(path)):
        raise ValueError(
            f"{stored}: cache must hold the pixels of {path}, it holds those of another: {remedy}"
        )
    return image


def check_cache_kind(place: str, kind: str | None) -> None:
    """Refuse a kind of cache that nobody writes.

    Raises:
        ValueError: If it is unknown.
    """
    if kind is not None and kind not in CACHE_KINDS:
        raise ValueError(
            f"{place}: cache must be one of {', '.join(CACHE_KINDS)} or None, got {kind!r}"
        )


def _decode(data: bytes) -> NDArray[Any]:
    if data.startswith(SIGNATURE):
        return decode_png16(data)
    if data.startswith(_NPY):
        return np.asarray(np.load(BytesIO(data), allow_pickle=False))
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None:
        raise ValueError("it is neither PNG, NPY, TIFF nor PGM, or it is damaged")
    return np.asarray(image)


def to_unit_range(image: NDArray[Any], place: str) -> NDArray[np.float32]:
    """Scale 8 or 16 bits to [0, 1]; a float image must be there already.

    Args:
        image: Pixels as stored.
        place: Name of the file, for the error.

    Raises:
        ValueError: If the number type is another, or a float lies outside [0, 1].
    """
    if image.dtype in (np.uint8, np.uint16):
        scale = np.float32(np.iinfo(image.dtype).max)
        return np.asarray(np.divide(image, scale, dtype=np.float32))
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"{place}: image must be uint8, uint16 or float, got {image.dtype}")
    low, high = image.min(), image.max()
    if not (low >= 0 and high <= 1):
        raise ValueError(f"{place}: a float image must lie in [0, 1], got [{low:g}, {high:g}]")
    return image.astype(np.float32)


@TRANSFORMS.register_module()
class LoadMammogram(BaseTransform):
    """Load ``img_path`` as a float32 image in [0, 1] with its full depth.

    MMPreTrain's ``LoadImageFromFile`` cuts 16 bits down to 8 by default.

    Required keys: ``img_path``. Added keys: ``img`` (H, W), ``img_shape``, ``ori_shape``.

    Args:
        cache: Read the decoded pixels that ``prepare_dataset.py --cache npy`` (or ``blosc``)
            stored instead of the PNG. They are the same pixels, read several times faster;
            cached pixels that are absent, damaged or of another PNG are an error.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not a whole grey image of 8 or 16 bits or of floats in [0, 1].
    """

    def __init__(self, cache: CacheKind | None = None) -> None:
        check_cache_kind(type(self).__name__, cache)
        self.cache = cache

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image."""
        path = results["img_path"]
        results["img"] = to_unit_range(read_mammogram(path, self.cache), path)
        results["img_shape"] = results["ori_shape"] = results["img"].shape
        return results

    def __repr__(self) -> str:
        """Show how it was built."""
        return f"{type(self).__name__}(cache={self.cache!r})"
