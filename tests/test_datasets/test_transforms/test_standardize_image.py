import numpy as np
import pytest
from mmpretrain.registry import TRANSFORMS

import mammography.datasets.transforms.standardize_image  # noqa: F401
from mammography.functional.standardization import standardize


@pytest.mark.parametrize("breast_only", [True, False])
def test_it_standardises_the_image_of_a_pipeline(breast_only):
    image = np.random.default_rng(0).random((8, 6), dtype=np.float32)
    image[:, 4:] = 0
    transform = TRANSFORMS.build({"type": "StandardizeImage", "breast_only": breast_only})
    results = transform({"img": image, "laterality": "L"})
    np.testing.assert_array_equal(results["img"], standardize(image, breast_only))
    assert results["laterality"] == "L"
    assert repr(transform) == f"StandardizeImage(breast_only={breast_only})"


def test_whole_numbers_are_refused_with_the_remedy():
    transform = TRANSFORMS.build({"type": "StandardizeImage"})
    with pytest.raises(ValueError, match=r"of floats, got uint16: load it with LoadMammogram"):
        transform({"img": np.ones((2, 2), np.uint16)})
