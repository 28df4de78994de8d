import torch
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn

from mammography.engine.optimizers.cpu_amp_optim_wrapper import CpuAmpOptimWrapper


def test_the_forward_pass_is_in_bfloat16_and_the_weights_stay_in_float32():
    model = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    wrapper = OPTIM_WRAPPERS.build({"type": "CpuAmpOptimWrapper", "optimizer": optimizer})
    assert isinstance(wrapper, CpuAmpOptimWrapper)
    x = torch.randn(4, 3)
    with wrapper.optim_context(model):
        out = model(x)
    assert out.dtype == torch.bfloat16
    assert model(x).dtype == torch.float32
    before = model.weight.clone()
    wrapper.update_params(out.float().square().mean())
    assert model.weight.dtype == torch.float32
    assert not torch.equal(model.weight, before)
