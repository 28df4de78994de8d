"""Identity forward, opposite gradient backward: two players on one set of features."""

import math
from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    """Multiply the gradient by ``-strength``; pass values and number type through."""

    @staticmethod
    def forward(x: Tensor, strength: float) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.strength = inputs[1]

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * grad_outputs[0], None


def reverse_gradient(x: Tensor, strength: float) -> Tensor:
    """Return ``x`` itself, whose gradient comes back multiplied by ``-strength``.

    What follows learns to lower its loss, what comes before learns to raise it. As the
    factor acts on the gradient that leaves towards ``x`` and not on the loss, the learning
    of what follows does not depend on it.

    Shapes:
        x and the result: any.

    Args:
        x: Features.
        strength: Lambda, >= 0; 0 lets nothing through to ``x``.

    References:
        Ganin et al., "Domain-Adversarial Training of Neural Networks", JMLR 2016,
        arXiv:1505.07818, equations 23 and 24.

    Example:
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> (3 * reverse_gradient(x, 0.5)).sum().backward()
        >>> x.grad
        tensor([-1.5000, -1.5000])
    """
    reversed_: Tensor = _Reversal.apply(x, strength)  # type: ignore[no-untyped-call]
    return reversed_


def adversarial_strength(
    progress: float, max_strength: float = 1.0, steepness: float = 10.0
) -> float:
    """Return the strength of the reversal at a point of the training.

    ``max_strength * (2 / (1 + exp(-steepness * progress)) - 1)``: 0 at the start, while the
    domain classifier knows nothing worth unlearning, and nearly ``max_strength`` from the
    middle on.

    Args:
        progress: Share of the training that is done, 0 to 1.
        max_strength: Limit of the strength.
        steepness: How soon it is approached.

    Raises:
        ValueError: If ``progress`` is outside of 0 to 1.

    References:
        Ganin et al. 2016, section 5.2.2, with ``steepness`` 10.

    Example:
        >>> [round(adversarial_strength(p), 3) for p in (0.0, 0.1, 0.5, 1.0)]
        [0.0, 0.462, 0.987, 1.0]
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"adversarial_strength: progress must be from 0 to 1, got {progress}")
    return max_strength * math.tanh(steepness * progress / 2)  # the same curve, without overflow
