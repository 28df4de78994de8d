"""From a results dict to what the model takes."""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpretrain.registry import TRANSFORMS
from mmpretrain.structures import DataSample
from numpy.typing import NDArray

META_KEYS = (
    "sample_idx",
    "img_path",
    "image_id",
    "patient_id",
    "exam_id",
    "laterality",
    "view_position",
    "manufacturer",
    "split",
    "domain",
    "ori_shape",
    "img_shape",
    "warp_matrix",
    "clinic_vars",
)


@TRANSFORMS.register_module()
class PackMammogram(BaseTransform):
    """Make the tensor and the data sample.

    The labels travel as one dict, ``gt_targets``, of task name to float: MMPreTrain's
    ``gt_label`` would round regression targets, and a missing label has no key.

    Required key: ``img``, or a list of views from ``MultiView``. All else is optional.

    Args:
        meta_keys: Keys that go into the metainfo of the sample where they are known.

    Shapes:
        ``inputs``: ``(1, H, W)``, float32, or a list of them, one per view.
    """

    def __init__(self, meta_keys: tuple[str, ...] = META_KEYS) -> None:
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack."""
        image = results["img"]
        sample = DataSample()
        sample.set_metainfo({key: results[key] for key in self.meta_keys if key in results})
        if "gt_label" in results:
            sample.set_field(dict(results["gt_label"]), "gt_targets", dtype=dict)
        many = isinstance(image, list)
        inputs = [_to_tensor(view) for view in image] if many else _to_tensor(image)
        return {"inputs": inputs, "data_samples": sample}

    def __repr__(self) -> str:
        """Show how it was built."""
        return f"{type(self).__name__}(meta_keys={self.meta_keys})"


def _to_tensor(image: NDArray[Any]) -> torch.Tensor:
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim != 2:
        raise ValueError(f"PackMammogram: img must be one channel, got shape {image.shape}")
    return torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None]
