"""Where a map says that a lesion is, and where it is."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

import mammography.plugin  # noqa: F401
from mammography.apis.explaining.attributions import Question, explain_case
from mammography.apis.explaining.explained import Explained
from mammography.functional.affine import AffineParameters, affine_matrix
from mammography.functional.receptive_field import place_evenly
from mammography.structures.annotation import ImageRecord

SIZE_HW = (96, 80)


class Strides(nn.Module):
    """Three blurs of stride 2: a cell of 8 pixels answers to what lies in its receptive field.

    Args:
        padding: ``symmetric`` as in a ResNet, ``same`` as TensorFlow pads, or ``patches``: a
            convolution of 8 x 8 pixels that follow each other, as in a ConvNeXt.
    """

    def __init__(self, padding):
        super().__init__()
        self.padding = padding
        self.convs = nn.ModuleList(nn.Conv2d(1, 1, 3, 2, bias=False) for _ in range(3))
        kernel = torch.tensor([0.25, 0.5, 0.25])
        for conv in self.convs:
            conv.weight.data[:] = torch.outer(kernel, kernel)
        self.patch = nn.Conv2d(1, 1, 8, 8, bias=False)
        self.patch.weight.data.fill_(1 / 64)

    def forward(self, x):
        if self.padding == "patches":
            return (self.patch(x),)
        for conv in self.convs:
            x = conv(F.pad(x, (1, 1, 1, 1) if self.padding == "symmetric" else (0, 1, 0, 1)))
        return (x,)


def build(backbone, channels=1, **settings):
    torch.manual_seed(0)
    config = {
        "type": "ImageClassifier",
        "backbone": backbone,
        "neck": {"type": "GlobalAveragePooling"},
        "head": {
            "type": "MaskedMultiTaskHead",
            "in_channels": channels,
            "tasks": {"malignant": {"kind": "binary"}},
        },
    }
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(config | settings).eval()
    nn.init.constant_(model.head.outcomes["malignant"].linear.weight, 1.0)
    return model


def lesion(size_hw, x, y):
    """An image, dark but for a square of 3 pixels around the pixel (x, y)."""
    image = torch.zeros(1, 1, *size_hw)
    image[..., y - 1 : y + 2, x - 1 : x + 2] = 1.0
    return image


def peak(values, matrix):
    """The highest place, or the middle of several: a lesion may lie between two cells."""
    row, column = np.argwhere(values >= values.max() * (1 - 1e-5)).mean(0)
    return matrix @ (column + 0.5, row + 0.5, 1.0)


def misses(model, size_hw, count, margin, method="grad-cam"):
    """By how many pixels, right and down, the peak misses lesions at random places.

    Shapes:
        Two arrays ``(count, 2)``: with the matrix of the map, and with equal shares of the image.
    """
    rng, found, even = np.random.default_rng(0), [], []
    for _ in range(count):
        y, x = (int(rng.integers(margin, side - margin)) for side in size_hw)
        answer = explain_case(
            model, lesion(size_hw, x, y), DataSample(), Question("malignant", method=method)
        )
        values = answer.maps[0].numpy()
        assert answer.placed_by == "receptive fields"
        found.append(peak(values, answer.to_input) - (x + 0.5, y + 0.5))
        even.append(peak(values, place_evenly(values.shape, size_hw)) - (x + 0.5, y + 0.5))
    return np.array(found), np.array(even)


@pytest.mark.parametrize("method", ["grad-cam", "grad-cam++"])
@pytest.mark.parametrize(
    ("padding", "lean"),
    [("symmetric", 3.5), ("same", -3.5), ("patches", 0.0)],
)
def test_maps_do_not_lean_to_any_side_of_a_lesion(padding, lean, method):
    """Equal shares of the image lean by up to half a cell, as the padding has it."""
    found, even = misses(build(Strides(padding)), SIZE_HW, 200, 9, method)
    assert abs(found).max() <= 8 / 2
    assert found.mean(0) == pytest.approx([0, 0], abs=8 * 0.08)
    assert even.mean(0) == pytest.approx([lean, lean], abs=8 * 0.08)


def test_maps_of_a_resnet_do_not_lean_to_any_side_of_a_lesion():
    """All weights alike: a cell answers most to the middle of what it sees."""
    backbone = {
        "type": "ResNet",
        "depth": 18,
        "in_channels": 1,
        "base_channels": 2,
        "stem_channels": 2,
    }
    model = build(backbone, channels=16)
    for module in model.backbone.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    found, even = misses(model, (768, 768), 60, 224)
    assert abs(found).max() <= 32 / 2
    assert found.mean(0) == pytest.approx([0, 0], abs=32 * 0.1)
    assert even.mean(0) == pytest.approx([15.5, 15.5], abs=32 * 0.1)


@pytest.mark.parametrize("method", ["attention", "rollout"])
def test_a_token_lies_on_the_middle_of_the_cells_it_was_pooled_from(method):
    neck = {
        "type": "TransformerNeck",
        "in_channels": 1,
        "input_size_hw": SIZE_HW,
        "backbone_stride": 8,
        "pool": {"kernel_size": (4, 3), "stride": (3, 2), "padding": (0, 1)},
        "num_heads": 1,
        "head_dims": 4,
        "feedforward_channels": 4,
    }
    answer = explain_case(
        build(Strides("symmetric"), neck=neck),
        torch.rand(1, 1, *SIZE_HW),
        DataSample(),
        Question("malignant", method=method),
    )
    assert answer.maps.shape == (1, 3, 5)
    for row, column in ((0, 0), (2, 4)):
        cells_x, cells_y = 2 * column - 1 + np.arange(3), 3 * row + np.arange(4)
        wanted = 8 * cells_x.mean() + 0.5, 8 * cells_y.mean() + 0.5
        assert answer.to_input @ (column + 0.5, row + 0.5, 1) == pytest.approx(wanted)


class Shares(nn.Module):
    """A backbone whose cells are means over shares of the image, whatever its size."""

    def forward(self, x):
        return (F.adaptive_avg_pool2d(x, (12, 10)),)


@pytest.mark.parametrize(
    ("backbone", "method"), [(Shares(), "grad-cam"), (Strides("symmetric"), "occlusion")]
)
def test_places_that_are_not_known_are_equal_shares_of_the_image(backbone, method):
    question = Question("malignant", method=method, window=16, stride=16)
    answer = explain_case(build(backbone), torch.rand(1, 1, *SIZE_HW), DataSample(), question)
    assert answer.placed_by == "equal shares"
    assert np.array_equal(answer.to_input, place_evenly(answer.maps.shape[1:], SIZE_HW))


def explained(values, answer, image_hw):
    """A map over a black picture of an image that was fitted into it."""
    return Explained(
        record=ImageRecord("a.png", "p", "e", "a", size_hw=image_hw),
        picture=np.zeros(SIZE_HW, np.float32),
        map=values,
        to_picture=answer.to_input,
        placed_by=answer.placed_by,
        warp=affine_matrix(AffineParameters(), image_hw, SIZE_HW),
        scores={},
        labels={},
    )


def drawn(folder):
    """How bright the overlay is, ``(H, W)``."""
    return cv2.imread(str(folder / "overlays" / "a.png")).astype(float).sum(2)


def test_picture_row_and_arrays_say_the_same_place(tmp_path):
    """Pixels of the prepared image are half as large as those of the picture."""
    x, y = 30, 39
    image = lesion(SIZE_HW, x, y)
    answer = explain_case(build(Strides("symmetric")), image, DataSample(), Question("malignant"))
    found = explained(answer.maps[0].numpy(), answer, (192, 160))
    found.write(tmp_path, source=False)
    row = found.listing()
    assert row["placed_by"] == "receptive fields"
    assert row["xy"] == pytest.approx([2 * x + 1, 2 * y + 1], abs=2 * 8 * 0.6)
    to_image = np.load(tmp_path / "maps" / "a.npz")["to_image"]
    assert row["xy"] == pytest.approx(peak(found.map, to_image), abs=0.01)
    picture = drawn(tmp_path)
    down, across = np.unravel_index(picture.argmax(), picture.shape)
    assert (2 * across + 1, 2 * down + 1) == pytest.approx(row["xy"], abs=2)


def test_a_map_is_not_drawn_faded_at_the_edge(tmp_path):
    """The last cells of a ResNet look around pixels a whole cell before the edge."""
    answer = explain_case(
        build(Strides("symmetric")),
        lesion(SIZE_HW, 40, 40),
        DataSample(),
        Question("malignant"),
    )
    values = np.zeros(answer.maps.shape[1:], np.float32)
    values[5, -1] = 1.0
    explained(values, answer, SIZE_HW).write(tmp_path, source=False)
    picture = drawn(tmp_path)
    assert (picture[40, 72:] == picture.max()).all()
