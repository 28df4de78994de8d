import pytest
import torch
from torch import nn

from mammography.models.necks.hidden_layers_neck import HiddenLayersNeck


def kinds(neck):
    return [type(layer).__name__ for layer in neck.layers]


def test_the_layers_are_those_of_the_published_head():
    neck = HiddenLayersNeck(3584, (512, 128), 0.4)
    block = ["Linear", "ReLU", "BatchNorm1d", "Dropout"]
    assert kinds(neck) == ["BatchNorm1d", *block, *block]
    linear = [layer for layer in neck.layers if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features, layer.bias) for layer in linear] == [
        (3584, 512, None),
        (512, 128, None),
    ]
    assert {layer.p for layer in neck.layers if isinstance(layer, nn.Dropout)} == {0.4}
    weights = 3584 * 512 + 512 * 128
    norms = 2 * (3584 + 512 + 128)
    assert sum(p.numel() for p in neck.parameters()) == weights + norms


def test_it_computes_what_the_formula_says():
    torch.manual_seed(0)
    neck = HiddenLayersNeck(6, (4,), 0.0).double()
    x = torch.randn(8, 6, dtype=torch.double)

    def normal(v):
        return (v - v.mean(0)) / (v.var(0, unbiased=False) + 1e-5).sqrt()

    expected = normal((normal(x) @ neck.layers[1].weight.T).relu())
    torch.testing.assert_close(neck((x,))[0], expected)


def test_without_norm_an_image_does_not_depend_on_its_batch_and_layers_have_a_shift():
    neck = HiddenLayersNeck(6, (4, 2), 0.0, norm=False)
    x = torch.randn(5, 6)
    torch.testing.assert_close(neck(x)[0][:1], neck(x[:1])[0])
    assert neck.layers[0].bias is not None
    assert "BatchNorm1d" not in kinds(neck)


def test_the_initialisation_keeps_the_size_of_what_passes_through():
    torch.manual_seed(0)
    neck = HiddenLayersNeck(512, (512, 512, 512), 0.0, norm=False)
    neck.init_weights()
    out = neck(torch.randn(256, 512))[0]
    assert 0.5 < out.pow(2).mean().item() < 2


@pytest.mark.parametrize(
    "settings", [{"hidden_channels": ()}, {"hidden_channels": (0,)}, {"drop_rate": 1.0}]
)
def test_what_is_no_layer_is_refused(settings):
    with pytest.raises(ValueError, match="hidden_channels must be widths of at least one layer"):
        HiddenLayersNeck(4, **settings)
