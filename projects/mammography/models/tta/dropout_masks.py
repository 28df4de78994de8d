"""Dropout in evaluation: each pass with masks of its own, the same for all images."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_DROP_VALUES = (nn.Dropout,)
_DROP_CHANNELS = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)


def dropout_layers(model: nn.Module) -> list[nn.Module]:
    """Return the layers of a model that drop something in training, in order.

    Dropout inside of functions (attention weights of ``scaled_dot_product_attention``) and
    stochastic depth are no layers of dropout, and stay off.
    """
    layers = (
        layer for layer in model.modules() if isinstance(layer, _DROP_VALUES + _DROP_CHANNELS)
    )
    return [layer for layer in layers if layer.p > 0]


@contextmanager
def dropout_masks(model: nn.Module, seed: int, number: int) -> Iterator[None]:
    """Let the dropout layers of a model in eval mode drop, by masks that all images share.

    A mask that does not differ between images is a draw of the weights: pass ``number`` is one
    network, an image is predicted alike in whatever batch, and no global generator is used. All
    other layers, batch norms above all, stay in evaluation.

    Args:
        model: In eval mode.
        seed: Of all passes.
        number: Of this pass.

    References:
        Gal and Ghahramani 2016, arXiv:1506.02142, section 3: a pass is a draw of the weights.
    """
    handles = [
        layer.register_forward_hook(_drop((seed, number, index)))
        for index, layer in enumerate(dropout_layers(model))
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _drop(key: tuple[int, int, int]) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """Return a hook that multiplies by a mask; the key decides which."""
    seed = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)

    def hook(layer: Any, _: Any, out: Tensor) -> Tensor:
        shape = [1, *out.shape[1:]]
        if isinstance(layer, _DROP_CHANNELS):
            shape[2:] = [1] * len(shape[2:])
        generator = torch.Generator().manual_seed(seed)
        kept = torch.rand(shape, generator=generator) >= layer.p
        dropped: Tensor = out * kept.to(out.device, out.dtype) / max(1 - layer.p, 1e-12)
        return dropped

    return hook
