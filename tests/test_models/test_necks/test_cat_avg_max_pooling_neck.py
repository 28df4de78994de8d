import torch
from timm.layers import SelectAdaptivePool2d

from mammography.models.necks.cat_avg_max_pooling_neck import CatAvgMaxPoolingNeck


def test_it_is_the_pooling_of_timm():
    x = torch.randn(3, 5, 7, 4)
    expected = SelectAdaptivePool2d(pool_type="catavgmax", flatten=True)(x)
    (out,) = CatAvgMaxPoolingNeck()((torch.zeros(1), x))
    torch.testing.assert_close(out, expected)
    assert torch.equal(CatAvgMaxPoolingNeck()(x)[0], out)


def test_one_place_that_differs_is_seen_whole_in_the_maximum_and_thinned_in_the_average():
    x = torch.zeros(1, 1, 56, 32)
    x[..., 20, 10] = 1
    (out,) = CatAvgMaxPoolingNeck()(x)
    assert out.tolist() == [[torch.tensor(1 / (56 * 32)).item(), 1.0]]
