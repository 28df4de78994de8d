import numpy as np
import pytest
import torch

from mammography.datasets.transforms.pack_mammogram import META_KEYS, PackMammogram

IMAGE = np.random.default_rng(0).random((6, 4), dtype=np.float32)


def test_an_image_becomes_a_contiguous_tensor_of_one_channel():
    for image in (IMAGE, np.fliplr(IMAGE), IMAGE[..., None]):
        inputs = PackMammogram()({"img": image})["inputs"]
        assert inputs.shape == (1, 6, 4)
        assert inputs.dtype == torch.float32
        assert inputs.is_contiguous()
        assert np.array_equal(inputs[0], image.reshape(6, 4))


def test_views_become_a_list_of_tensors():
    inputs = PackMammogram()({"img": [IMAGE, IMAGE[:3]]})["inputs"]
    assert [view.shape for view in inputs] == [(1, 6, 4), (1, 3, 4)]


def test_labels_travel_as_floats_with_missing_ones_absent():
    sample = PackMammogram()({"img": IMAGE, "gt_label": {"malignant": 1.0, "size_mm": 0.765}})[
        "data_samples"
    ]
    assert sample.gt_targets == {"malignant": 1.0, "size_mm": 0.765}
    assert "gt_label" not in sample
    assert sample.to("cpu").gt_targets == sample.gt_targets


def test_metainfo_holds_what_is_known():
    known = {key: key for key in META_KEYS[:9]} | {"warp_matrix": np.eye(2, 3), "findings": []}
    sample = PackMammogram()({"img": IMAGE, **known})["data_samples"]
    assert set(sample.metainfo_keys()) == set(known) - {"findings"}
    assert np.array_equal(sample.warp_matrix, np.eye(2, 3))
    assert "gt_targets" not in sample


def test_colour_is_refused():
    with pytest.raises(ValueError, match=r"one channel, got shape \(6, 4, 3\)"):
        PackMammogram()({"img": np.zeros((6, 4, 3), np.float32)})
