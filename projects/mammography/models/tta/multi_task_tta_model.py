"""Predict an image from several augmented versions of it."""

from typing import Any

import numpy as np
import torch
from mmengine.model import BaseTTAModel
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample


@MODELS.register_module()
class MultiTaskTTAModel(BaseTTAModel):
    """Average what a multi-task model says about the versions of each image.

    Probabilities, values and features are averaged; labels and metadata are those of the
    first version. ``tools/test.py --tta`` puts this model around the one of the config.
    """

    def merge_preds(self, data_samples_list: list[list[DataSample]]) -> list[DataSample]:
        """Return one sample per image.

        Args:
            data_samples_list: The versions of each image.
        """
        return [_merge(versions) for versions in data_samples_list]


def _merge(versions: list[DataSample]) -> DataSample:
    merged: DataSample = versions[0].clone()
    scores: dict[str, Any] = {
        task: np.mean([version.pred_scores[task] for version in versions], axis=0).tolist()
        for task in versions[0].pred_scores
    }
    merged.set_field(scores, "pred_scores", dtype=dict)
    if "pred_features" in merged:
        features = torch.stack([version.pred_features for version in versions]).mean(dim=0)
        merged.set_field(features, "pred_features", dtype=torch.Tensor)
    return merged
