import pytest
import torch
from torch import nn

from mammography.models.necks.heat_map_neck import HeatMapNeck


def test_each_place_is_classified_as_the_patch_network_classifies_a_patch_there():
    neck = HeatMapNeck(6, (12, 10), num_classes=3, window=4, pool=2, hidden_channels=()).eval()
    head = nn.Linear(6, 3)
    neck.classifier.load_state_dict(head.state_dict())
    x = torch.randn(2, 6, 12, 10)
    found = neck((x,))[0].view(2, 3, 4, 3)
    for row in range(4):
        for column in range(3):
            windows = [
                head(x[:, :, i : i + 4, j : j + 4].mean(dim=(2, 3))).relu()
                for i in (2 * row, 2 * row + 1)
                for j in (2 * column, 2 * column + 1)
            ]
            largest = torch.stack(windows).amax(0)
            torch.testing.assert_close(found[:, :, row, column], largest)


def test_published_head_sees_six_by_four_maxima_of_five_classes():
    neck = HeatMapNeck()
    layers = [m for m in neck.connected.modules() if isinstance(m, nn.Linear)]
    assert [(m.in_features, m.out_features) for m in layers] == [(120, 64), (64, 32)]


def test_shortcut_takes_the_maxima_past_the_connected_layers():
    torch.manual_seed(0)
    x = torch.randn(3, 6, 12, 10)
    neck = HeatMapNeck(6, (12, 10), window=4, pool=2, hidden_channels=(7,), shortcut=True).eval()
    bare = HeatMapNeck(6, (12, 10), window=4, pool=2, hidden_channels=()).eval()
    bare.classifier.load_state_dict(neck.classifier.state_dict())
    assert torch.equal(neck(x)[0][:, 7:], bare(x)[0])


def test_images_of_another_size_are_refused():
    neck = HeatMapNeck(6, (12, 10), window=4, pool=2)
    with pytest.raises(ValueError, match=r"maps must be of map_hw=\(12, 10\), got \(12, 11\)"):
        neck((torch.rand(1, 6, 12, 11),))


def test_map_that_holds_no_window_is_refused():
    with pytest.raises(ValueError, match=r"must hold a window of 7 .* got \(8, 28\)"):
        HeatMapNeck(6, (8, 28))
