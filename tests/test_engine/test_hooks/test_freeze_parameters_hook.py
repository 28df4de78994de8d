from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mammography.engine.hooks.freeze_parameters_hook import FreezeParametersHook


def runner_of(model, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(
        model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1
    )
    return SimpleNamespace(model=model, optim_wrapper=OptimWrapper(optimizer), iter=0)


def train(model, hook, steps, first=0):
    """Take ``steps`` steps and return the weights of the first layer after each."""
    runner = runner_of(model)
    hook.before_train(runner)
    weights = []
    for runner.iter in range(first, first + steps):
        hook.before_train_iter(runner, runner.iter)
        runner.optim_wrapper.update_params(model(torch.ones(2, 3)).square().mean())
        weights.append(model[0].weight.detach().clone())
    return weights


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


def test_named_parameters_stay_exactly_for_the_first_iterations(model):
    start = [p.detach().clone() for p in model.parameters()]
    weights = train(model, FreezeParametersHook(["0."], num_iters=2), steps=3)
    assert torch.equal(weights[1], start[0])
    assert not torch.equal(weights[2], start[0])
    assert not torch.equal(model[1].weight, start[2])


def test_parameters_keep_requiring_gradients(model):
    train(model, FreezeParametersHook(["0."], num_iters=5), steps=1)
    assert all(p.requires_grad for p in model.parameters())


def test_a_resumed_run_counts_from_its_iteration(model):
    start = model[0].weight.detach().clone()
    weights = train(model, FreezeParametersHook(["0."], num_iters=2), steps=1, first=2)
    assert not torch.equal(weights[0], start)


def test_a_prefix_without_parameters_is_refused(model):
    hook = FreezeParametersHook(["0.", "prototypes"], num_iters=1)
    with pytest.raises(ValueError, match="prefixes must begin names of parameters, got 'prototyp"):
        hook.before_train(runner_of(model))


def test_negative_iterations_are_refused():
    with pytest.raises(ValueError, match="num_iters must be >= 0, got -1"):
        FreezeParametersHook(["0."], num_iters=-1)
