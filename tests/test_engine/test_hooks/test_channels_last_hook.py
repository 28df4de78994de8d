from types import SimpleNamespace

import torch
from torch import nn

from mammography.engine.hooks.channels_last_hook import ChannelsLastHook


def test_the_layout_changes_and_neither_parameters_nor_numbers_do():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 3))
    image = torch.rand(2, 3, 12, 9)
    parameters, before = list(model.parameters()), model(image)
    ChannelsLastHook().before_train(SimpleNamespace(model=model))
    after = model(image)
    assert model[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert after.is_contiguous(memory_format=torch.channels_last)
    assert all(a is b for a, b in zip(model.parameters(), parameters, strict=True))
    torch.testing.assert_close(after, before)
