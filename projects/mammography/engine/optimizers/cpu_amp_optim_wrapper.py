"""Mixed precision without a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from mmpretrain.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """Run the forward pass in bfloat16 on the CPU.

    MMEngine's ``AmpOptimWrapper`` refuses to work without a GPU. bfloat16 has the range of
    float32, so the loss is not scaled. ``tools/train.py`` puts this class in its place.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute in bfloat16 where torch holds it to be safe."""
        with (
            super().optim_context(model),
            autocast(device_type="cpu", dtype=torch.bfloat16),
        ):
            yield
