import numpy as np
import pytest
import torch
from mmpretrain.registry import TRANSFORMS
from torch import nn

import mammography.datasets.transforms.pack_mammogram  # noqa: F401
from mammography.models.tta.multi_task_tta_model import MultiTaskTTAModel
from samples import sample


class Echo(nn.Module):
    """Predicts the mean of the image and its left half."""

    def test_step(self, data):
        samples = []
        for image, given in zip(data["inputs"], data["data_samples"], strict=True):
            left, mean = image[..., :2].mean().item(), image.mean().item()
            scores = {"malignant": left, "density": [left, 1 - left], "size_mm": mean}
            given.set_field(scores, "pred_scores", dtype=dict)
            given.set_field(torch.tensor([left, mean]), "pred_features", dtype=torch.Tensor)
            samples.append(given)
        return samples


def test_the_versions_of_an_image_are_averaged_and_its_identity_is_kept():
    images = torch.rand(3, 1, 4, 4)
    labels = [{"malignant": float(i % 2)} for i in range(3)]
    data = {
        "inputs": [images, images.flip(-1)],
        "data_samples": [[sample(i, dict(labels[i])) for i in range(3)] for _ in range(2)],
    }
    merged = MultiTaskTTAModel(Echo()).test_step(data)
    assert [s.image_id for s in merged] == ["i0", "i1", "i2"]
    for image, label, one in zip(images, labels, merged, strict=True):
        mean = image.mean().item()  # of the left half and the right half, mirrored
        assert one.gt_targets == label
        assert one.pred_scores["malignant"] == pytest.approx(mean)
        assert one.pred_scores["density"] == pytest.approx([mean, 1 - mean])
        assert one.pred_scores["size_mm"] == pytest.approx(mean)
        assert one.pred_features.tolist() == pytest.approx([mean, mean])


def test_a_config_can_look_at_four_flips_of_each_image():
    """``tta_pipeline``: as it is, to the side, upside down, and both."""
    flips = [
        [{"type": "RandomFlip", "prob": 0.0}],
        [{"type": "RandomFlip", "prob": 1.0, "direction": "horizontal"}],
        [{"type": "RandomFlip", "prob": 1.0, "direction": "vertical"}],
        [{"type": "RandomFlip", "prob": 1.0, "direction": "diagonal"}],
    ]
    branches = [[step for (step,) in flips], [{"type": "PackMammogram"}]]
    pipeline = TRANSFORMS.build({"type": "TestTimeAug", "transforms": branches})
    image = np.random.default_rng(0).random((6, 4), dtype=np.float32)
    looks = pipeline({"img": image, "img_shape": (6, 4)})["inputs"]
    expected = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    assert len(looks) == 4
    for look, wanted in zip(looks, expected, strict=True):
        assert np.array_equal(look[0].numpy(), wanted)
