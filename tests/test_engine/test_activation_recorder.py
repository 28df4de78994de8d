import copy

import numpy as np
import pytest
import torch
from mmpretrain.models.utils.norm import LayerNorm2d
from torch import nn
from torch.nn import functional as F  # noqa: N812 (its usual name)
from torch.utils.checkpoint import checkpoint

from mammography.engine.activation_recorder import ActivationRecorder, put_channels_second


def network(norm=nn.BatchNorm2d):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3),
        norm(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 3, 3),
        norm(3),
        nn.Flatten(),
        nn.Linear(48, 2),
    )


@pytest.fixture
def images():
    return 2 + 3 * torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def record(model, images, names, backward=False, **settings):
    layers = {name: dict(model.named_modules())[name] for name in names}
    recorder = ActivationRecorder(layers, **settings)
    with recorder:
        loss = model(images).square().sum()
        if backward:
            loss.backward()
    return recorder


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, nn.SyncBatchNorm])
def test_what_enters_and_leaves_a_batch_norm_agrees_with_torch(norm, images):
    model = network(norm).eval()
    for layer in (model[1], model[4]):
        for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            tensor.data.add_(torch.rand(tensor.shape))
    with torch.no_grad():
        arrays = record(model, images, ["1", "4"]).arrays()
        for name in ("1", "4"):
            entered = model[: int(name)](images)
            left = model[int(name)](entered).double()
            running_mean, running_var = torch.zeros(left.shape[1]), torch.ones(left.shape[1])
            F.batch_norm(entered, running_mean, running_var, training=True, momentum=1)
            for what, expected in {
                "input_mean": running_mean,
                "input_variance": running_var,
                "mean": left.mean((0, 2, 3)),
                "variance": left.var((0, 2, 3)),
                "running_mean": model[int(name)].running_mean,
                "running_variance": model[int(name)].running_var,
            }.items():
                np.testing.assert_allclose(arrays[f"{name}/{what}"], expected, rtol=1e-5, atol=1e-6)
            assert arrays[f"{name}/count"] == left[:, 0].numel()
            assert arrays[f"{name}/eps"] == model[int(name)].eps


def test_all_values_are_kept_where_there_are_few(images):
    """Also those that a ReLU overwrites in place."""
    model = network().eval()
    with torch.no_grad():
        values = record(model, images, ["1"]).arrays()["1/values"]
        expected = model[1](model[0](images)).transpose(0, 1).flatten(1)
    assert (values < 0).any()
    np.testing.assert_array_equal(np.sort(values), np.sort(expected))


def test_gradients_are_those_of_autograd(images):
    model = network()
    reference = copy.deepcopy(model)
    recorder = record(model, images, ["1", "3"], backward=True, gradients=True)
    recorder.gradient_scale = 4.0
    arrays = recorder.arrays()
    first = reference[1](reference[0](images))
    second = reference[3](F.relu(first))
    loss = reference[4:](second).square().sum() / 4
    for name, gradient in zip("13", torch.autograd.grad(loss, (first, second)), strict=True):
        rows = gradient.transpose(0, 1).flatten(1)
        ours = arrays[f"{name}/gradient_values"]
        np.testing.assert_allclose(np.sort(ours), np.sort(rows), rtol=1e-4, atol=1e-7)
        np.testing.assert_allclose(
            arrays[f"{name}/gradient_variance"], rows.double().var(1), rtol=1e-4
        )
        np.testing.assert_allclose(
            arrays[f"{name}/gradient_mean"], rows.double().mean(1), rtol=1e-3, atol=1e-7
        )


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_what_is_computed_again_for_the_backward_pass_counts_once(images, use_reentrant):
    model = network().eval()
    images.requires_grad_()
    plain = record(model, images, ["1"], backward=True, gradients=True).arrays()
    body, head = model[:3], model[3:]
    model.forward = lambda x: head(checkpoint(body, x, use_reentrant=use_reentrant))
    again = record(model, images, ["1"], backward=True, gradients=True).arrays()
    assert again.keys() == plain.keys()
    for name, array in again.items():
        np.testing.assert_allclose(array, plain[name], rtol=1e-5)


def test_outputs_gradients_statistics_and_random_numbers_are_what_they_would_be(images):
    models = [nn.Sequential(network(), nn.Dropout(0.5)) for _ in range(2)]
    states, outputs = [], []
    for model, names in zip(models, (["0.1", "0.4", "0.6"], []), strict=True):
        torch.manual_seed(3)
        layers = {name: dict(model.named_modules())[name] for name in names}
        with ActivationRecorder(layers, 5, gradients=True):
            outputs.append(model(images))
            outputs[-1].square().sum().backward()
        states.append([torch.get_rng_state(), *model.state_dict().values()])
        states[-1] += [parameter.grad for parameter in model.parameters()]
    assert torch.equal(*outputs)
    assert all(torch.equal(a, b) for a, b in zip(*states, strict=True))


def test_outside_the_context_no_hook_is_left_even_after_an_error(images):
    """Neither on a layer nor on what it gave, whose gradient comes later."""
    model = network()
    recorder = ActivationRecorder(dict(model[:5].named_children()), gradients=True)
    with recorder:
        out = model(images)
        assert all(module._forward_hooks for module in model[:5])
    with pytest.raises(RuntimeError, match="mat1 and mat2"), recorder:
        model(images[..., 1:])
    assert not any(module._forward_hooks for module in model.modules())
    before = recorder.arrays()
    out.sum().backward()
    model(images)
    after = recorder.arrays()
    assert after.keys() == before.keys()
    assert not any("gradient" in name for name in after)
    assert all(after[name] == before[name] for name in before if name.endswith("count"))


def test_layers_come_in_the_order_of_the_forward_pass_without_those_unused(images):
    model = network()
    model.extra = nn.BatchNorm2d(9)
    model.forward = lambda x: model[4](model[3](F.relu(model[1](model[0](x)))))
    assert record(model, images, ["extra", "4", "1"]).seen == ["1", "4"]


def test_several_passes_through_a_layer_are_one_set(images):
    model = network().eval()
    recorder = ActivationRecorder({"1": model[1]})
    with torch.no_grad(), recorder:
        for part in images.split([1, 3, 2]):
            model(part)
    whole = record(model, images, ["1"]).arrays()
    for name, array in recorder.arrays().items():
        rows = [np.sort(each.reshape(-1, each.size)) for each in (array, whole[name])]
        np.testing.assert_allclose(*rows, rtol=1e-4, atol=1e-5)


def test_at_most_so_many_values_are_kept(images):
    arrays = record(network(), images, ["1", "6"], max_values=5).arrays()
    assert arrays["1/values"].shape == (4, 5)
    assert arrays["6/values"].shape == (2, 5)
    assert arrays["1/values"].dtype == np.float32


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (nn.Conv2d(1, 2, 3), (4, 2, 5, 6), (4, 2, 5, 6)),
        (nn.BatchNorm1d(2), (4, 2, 7), (4, 2, 7)),
        (nn.Linear(1, 2), (4, 7, 2), (4, 2, 7)),
        (nn.LayerNorm(2), (4, 5, 6, 2), (4, 2, 5, 6)),
        (nn.GELU(), (4, 7, 2), (4, 2, 7)),
        (nn.ReLU(), (4, 2, 5, 6), (4, 2, 5, 6)),
        (LayerNorm2d(2), (4, 2, 5, 6), (4, 2, 5, 6)),
        (LayerNorm2d(2), (4, 5, 6, 2), (4, 2, 5, 6)),
    ],
)
def test_channels_are_found_where_the_kind_of_layer_has_them(layer, shape, expected):
    assert put_channels_second("x", layer, torch.zeros(shape)).shape == expected


def test_channels_that_may_be_in_two_places_are_refused():
    with pytest.raises(ValueError, match=r"^x: channels of LayerNorm2d must be second or last"):
        put_channels_second("x", LayerNorm2d(3), torch.zeros(1, 3, 5, 3))


@pytest.mark.parametrize("output", [(torch.zeros(2, 2),), torch.zeros(3), torch.zeros(2, 2).long()])
def test_what_is_not_one_tensor_of_channels_is_refused(output):
    with pytest.raises(ValueError, match=r"^neck: what a recorded layer gives must be one tensor"):
        put_channels_second("neck", nn.Identity(), output)
