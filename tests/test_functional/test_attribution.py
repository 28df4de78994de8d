import cv2
import numpy as np
import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn

from golden import golden
from mammography.functional.attribution import attention_rollout, grad_cam, grad_cam_plus_plus


@pytest.fixture(scope="module")
def case():
    return golden("10_explain_distance")


class Net(nn.Module):
    """The network of the reference values: two convolutions, global average, linear."""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 3, 3, padding=1)
        self.c2 = nn.Conv2d(3, 4, 3, padding=1, stride=2)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.c2(self.c1(x).relu()).relu().mean((2, 3)))


def stretched(maps):
    """Stretch each map to [0, 1]."""
    low = maps.amin((1, 2), keepdim=True)
    return (maps - low) / (maps.amax((1, 2), keepdim=True) - low)


def scaled(maps, size_wh=(8, 8)):
    """Enlarge maps as the grad-cam package does, which stretches them before and after."""
    larger = [cv2.resize(one.numpy(), size_wh) for one in stretched(maps)]
    return stretched(torch.tensor(np.stack(larger)))


@pytest.fixture(scope="module")
def captured(case):
    """Activations of the last convolution and the gradients of class 1."""
    net = Net()
    state = {name: torch.tensor(value) for name, value in case["inputs"]["state"].items()}
    net.load_state_dict(state)
    kept = {}
    net.c2.register_forward_hook(lambda _m, _i, out: kept.setdefault("maps", out))
    score = net(torch.tensor(case["inputs"]["x"]))[:, 1].sum()
    (gradients,) = torch.autograd.grad(score, kept["maps"])
    return kept["maps"].detach(), gradients


def test_grad_cam_equals_captum(case, captured):
    wanted = torch.tensor(case["expected"]["captum_layergradcam_c2_class1_relu"])
    assert torch.allclose(grad_cam(*captured), wanted.reshape_as(captured[0][:, 0]), atol=1e-5)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (grad_cam, "gradcam_pkg_scaled_8x8_class1"),
        (grad_cam_plus_plus, "gradcam_pp_pkg_scaled_8x8_class1"),
    ],
)
def test_both_equal_the_grad_cam_package(case, captured, function, name):
    wanted = torch.tensor(case["expected"][name])
    assert torch.allclose(scaled(function(*captured)), wanted, atol=1e-5)


def test_grad_cam_equals_captum_on_another_network():
    torch.manual_seed(0)
    net, x, kept = Net(), torch.rand(3, 1, 9, 7), {}
    handle = net.c1.register_forward_hook(lambda _m, _i, out: kept.setdefault("maps", out))
    (gradients,) = torch.autograd.grad(net(x)[:, 0].sum(), kept["maps"])
    handle.remove()
    theirs = LayerGradCam(net, net.c1).attribute(x, target=0, relu_attributions=True)
    assert torch.allclose(grad_cam(kept["maps"], gradients), theirs[:, 0], atol=1e-6)


def test_rollout_equals_the_reference(case):
    told = case["expected"]["attention_rollout_mean_heads"]
    attention = torch.tensor(told["attn"])
    found = attention_rollout(attention.reshape(1, len(attention), -1, *attention.shape[-2:]))
    assert torch.allclose(found[0], torch.tensor(told["rollout"]), atol=1e-5)
    assert torch.allclose(found.sum(-1), torch.ones(1, found.shape[-1]), atol=1e-5)


def test_a_score_that_does_not_hang_on_a_channel_gives_it_no_weight():
    maps = torch.rand(1, 2, 4, 4)
    slopes = torch.zeros(1, 2, 4, 4)
    for function in (grad_cam, grad_cam_plus_plus):
        assert function(maps, slopes).abs().sum() == 0
