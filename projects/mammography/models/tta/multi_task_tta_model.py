"""Predict an image from several augmented versions of it."""

from mmengine.model import BaseTTAModel
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from mammography.models.tta.merging import merge_versions


@MODELS.register_module()
class MultiTaskTTAModel(BaseTTAModel):
    """Average what a multi-task model says about the versions of each image.

    Probabilities, values, features and uncertainties are averaged; labels and metadata are those
    of the first version. ``tools/test.py --tta`` puts this model around the one of the config.
    """

    def merge_preds(self, data_samples_list: list[list[DataSample]]) -> list[DataSample]:
        """Return one sample per image.

        Args:
            data_samples_list: The versions of each image.
        """
        return [merge_versions(versions) for versions in data_samples_list]
