import numpy as np
import pytest
import torch
from mmpretrain.models import ResNet
from torch import nn

from mammography.functional.heat_maps import heat_maps, slide_window
from mammography.functional.windows import WindowGrid

# Stride 8, and 24 pixels to 2 x 2 places: nothing is padded.
UNPADDED = nn.Sequential(
    nn.Conv2d(1, 6, 3), nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(6, 10, 2, stride=2), nn.ReLU()
)


def padded_trunk():
    """Return a network of stride 32 that sees 35 pixels in each direction; it normalises."""
    layers = [nn.Conv2d(1, 4, 7, stride=2, padding=3), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    for entering, leaving in ((4, 6), (6, 8), (8, 8)):
        layers += [nn.Conv2d(entering, leaving, 3, stride=2, padding=1), nn.ReLU()]
    body = nn.Sequential(*layers).double()
    return lambda x: body((x - 0.5) / 0.25)


def resnet_trunk():
    """Return a ResNet-18 whose norms have statistics and weights of their own."""
    model = ResNet(depth=18, in_channels=1, stem_channels=16, base_channels=16).double()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.1)
    model.eval()
    return lambda x: model((x - 0.5) / 0.5)[-1]


def classifier(channels, dtype=torch.float64):
    head = nn.Linear(channels, 5).to(dtype)
    return lambda pooled: head(pooled).softmax(1)


def windows_with_surroundings(trunk, classify, image, grid, cell, reach):
    """Return the same maps from one crop per window: ``reach`` pixels of black or tissue around."""
    far = grid.window + reach
    canvas = np.pad(image[0].numpy(), far)
    cells = grid.window // cell
    maps = np.empty((5, *grid.shape))
    for row, y in enumerate(grid.centres(0)):
        for column, x in enumerate(grid.centres(1)):
            top, left = (int(c) - grid.window // 2 + far - reach for c in (y, x))
            side = grid.window + 2 * reach
            crop = torch.from_numpy(canvas[top : top + side, left : left + side])[None, None]
            inner = slice(reach // cell, reach // cell + cells)
            pooled = trunk(crop)[:, :, inner, inner].mean(dim=(2, 3))
            maps[:, row, column] = classify(pooled)[0]
    return torch.from_numpy(maps)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("stride", [2, 8, 24])
@pytest.mark.parametrize("size", [(41, 37), (64, 24)])
def test_without_padding_one_pass_equals_the_sliding_window(size, stride):
    image, classify = torch.rand(1, *size), classifier(10, torch.float32)
    grid = WindowGrid(size, 24, stride)
    network = nn.Sequential(UNPADDED, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    slid = slide_window(lambda x: classify(network(x)), image, grid, batch_size=7)
    passed = heat_maps(UNPADDED, classify, image, grid, cell=8, surroundings=8)
    torch.testing.assert_close(passed, slid, rtol=0, atol=1e-6)
    assert slid.std(dim=(1, 2)).min() > 0


@pytest.mark.parametrize("stride", [8, 16, 32, 64])
def test_with_padding_it_equals_windows_with_their_surroundings(stride):
    image, grid = torch.rand(1, 150, 101).double(), WindowGrid((150, 101), 96, stride)
    trunk, classify = padded_trunk(), classifier(8)
    passed = heat_maps(trunk, classify, image, grid, surroundings=64)
    slid = windows_with_surroundings(trunk, classify, image, grid, 32, reach=64)
    torch.testing.assert_close(passed, slid, rtol=0, atol=1e-12)


def test_so_does_a_residual_network_where_its_view_ends():
    """A ResNet-18 sees 217 pixels in each direction: windows far from each other are apart."""
    image, grid = torch.rand(1, 32, 900).double(), WindowGrid((32, 900), 64, 32)
    trunk, classify = resnet_trunk(), classifier(128)
    passed = heat_maps(trunk, classify, image, grid, surroundings=224)
    for place in (0, 14, 28):
        x = int(grid.centres(1)[place])
        alone = torch.zeros_like(image)
        near = slice(max(x - 32 - 218, 0), x + 32 + 218)
        alone[..., near] = image[..., near]
        same = heat_maps(trunk, classify, alone, grid, surroundings=224)[:, :, place]
        torch.testing.assert_close(passed[:, :, place], same, rtol=0, atol=1e-12)
    slid = windows_with_surroundings(
        trunk, classify, image[..., :96], WindowGrid((32, 96), 64, 32), 32, reach=224
    )
    short = heat_maps(
        trunk, classify, image[..., :96], WindowGrid((32, 96), 64, 32), surroundings=224
    )
    torch.testing.assert_close(short, slid, rtol=0, atol=1e-12)


def test_in_single_precision_the_difference_stays_below_the_promised():
    model = ResNet(depth=18, in_channels=1, stem_channels=16, base_channels=16)
    model.eval()
    image, grid = torch.rand(1, 96, 64), WindowGrid((96, 64), 64, 32)
    head = classifier(128, torch.float32)
    passed = heat_maps(lambda x: model(x)[-1], head, image, grid, surroundings=224)
    double = model.double()
    slid = windows_with_surroundings(
        lambda x: double(x)[-1], lambda x: head(x.float()), image.double(), grid, 32, reach=224
    )
    torch.testing.assert_close(passed.double(), slid, rtol=0, atol=1e-4)


def test_a_window_alone_is_what_the_network_says_of_that_patch():
    image, grid = torch.rand(1, 40, 30), WindowGrid((40, 30), 24, 10)
    slid = slide_window(lambda x: x.mean(dim=(2, 3)), image, grid, batch_size=5)
    canvas = np.pad(image[0].numpy(), 12)
    for row, y in enumerate(grid.centres(0)):
        for column, x in enumerate(grid.centres(1)):
            patch = canvas[y : y + 24, x : x + 24]
            assert slid[0, row, column].item() == pytest.approx(patch.mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("window", "stride", "surroundings", "message"),
    [
        (100, 8, 32, "window must be whole cells of 32 pixels, got 100"),
        (96, 24, 32, "stride must divide a cell of 32 pixels or be whole cells, got 24"),
        (96, 32, 16, "surroundings must be a cell of 32, got 16"),
    ],
)
def test_windows_that_do_not_fit_the_cells_are_refused(window, stride, surroundings, message):
    grid = WindowGrid((200, 200), window, stride)
    with pytest.raises(ValueError, match=message):
        heat_maps(
            nn.Identity(), nn.Identity(), torch.rand(1, 200, 200), grid, surroundings=surroundings
        )
