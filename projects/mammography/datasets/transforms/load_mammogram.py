"""Read an image file without losing bits."""

from io import BytesIO
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio
from mmpretrain.registry import TRANSFORMS
from numpy.typing import NDArray

from mammography.functional.png16 import SIGNATURE, decode_png16

_NPY = b"\x93NUMPY"


def read_mammogram(path: str) -> NDArray[Any]:
    """Return the pixels of a PNG, NPY, TIFF or PGM file as they are stored.

    Shapes:
        Output ``(H, W)``.

    Raises:
        OSError: If the file cannot be opened or read.
        ValueError: If it does not hold one whole grey image. Both name the file.
    """
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

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is not a whole grey image of 8 or 16 bits or of floats in [0, 1].
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the image."""
        path = results["img_path"]
        results["img"] = to_unit_range(read_mammogram(path), path)
        results["img_shape"] = results["ori_shape"] = results["img"].shape
        return results

    def __repr__(self) -> str:
        """Show how it was built."""
        return f"{type(self).__name__}()"
