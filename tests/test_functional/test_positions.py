import pytest
import torch
from torch.nn.functional import avg_pool2d

from golden import golden
from mammography.functional.positions import feature_size, pooled_grid

PUBLISHED = {
    "1792x1024_pool2": ((1792, 1024), (4, 3), (3, 2), (0, 1)),
    "896x512_pool3": ((896, 512), (3, 2), (2, 1), (1, 0)),
    "512x512_pool4": ((512, 512), (2, 2), (1, 1), (0, 0)),
}


def test_the_published_presets_follow_from_the_image_size():
    want = golden("08_mil_transformer")["expected"]["nils_pool_geometry"]
    ours = {k: list(pooled_grid(feature_size(s, 32), *pool)) for k, (s, *pool) in PUBLISHED.items()}
    assert ours == want


@pytest.mark.parametrize("size", [(4, 3), (5, 3), (9, 4), (14, 9), (57, 33)])
def test_the_grid_is_what_torch_pools_to(size):
    pooled = avg_pool2d(torch.zeros(1, 1, *size), (4, 3), (3, 2), (0, 1))
    assert pooled_grid(size, (4, 3), (3, 2), (0, 1)) == tuple(pooled.shape[2:])


def test_an_image_smaller_than_the_kernel_is_refused():
    with pytest.raises(ValueError, match=r"must hold one kernel of \(4, 3\), got \(3, 8\)"):
        pooled_grid((3, 8), (4, 3), (3, 2), (0, 1))
