"""Which parts of an image a score hangs on."""

import torch
from torch import Tensor

_STABILISER = 1e-6  # That of the grad-cam package.


def grad_cam(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return the positive part of the map that speaks for a score.

    Channels are weighed by the mean of their gradient over the map.

    Shapes:
        activations, gradients ``(N, C, h, w)``; returns ``(N, h, w)``, >= 0.

    Args:
        activations: Output of a layer.
        gradients: Of the score with respect to it.

    References:
        Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2.

    Example:
        >>> maps = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
        >>> slopes = torch.tensor([[[[1.0, 1.0]], [[-0.5, -0.5]]]])
        >>> grad_cam(maps, slopes)
        tensor([[[0., 2.]]])
    """
    return _weighted(activations, gradients.mean((2, 3)))


def grad_cam_plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    """Return the map of :func:`grad_cam` with weights that do justice to several small objects.

    For a score that is an exponential of a logit, second and third derivative are powers of the
    gradient of that logit, so one backward pass is enough.

    Shapes:
        As :func:`grad_cam`.

    References:
        Chattopadhay et al. 2018, arXiv:1710.11063, equations 10, 11 and 19.

    Example:
        >>> maps = torch.tensor([[[[1.0, 2.0]]]])
        >>> grad_cam_plus_plus(maps, torch.ones(1, 1, 1, 2))
        tensor([[[0.4000, 0.8000]]])
    """
    square = gradients**2
    total = activations.sum((2, 3), keepdim=True)
    # The summand keeps the quotient defined where the gradient is 0, and the share is then 0.
    share = square / (2 * square + total * gradients**3 + _STABILISER)
    return _weighted(activations, (share * gradients.relu()).sum((2, 3)))


def _weighted(activations: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum("nc,nchw->nhw", weights, activations).relu()


def attention_rollout(attention: Tensor) -> Tensor:
    """Follow attention back through the layers to the tokens that entered the first one.

    Heads are averaged; the shortcut beside each layer counts as much as its attention.

    Shapes:
        attention ``(N, layers, heads, T, T)``, rows sum to 1; returns ``(N, T, T)``: row i
        says which entering tokens make up token i at the end, and sums to 1.

    References:
        Abnar & Zuidema 2020, arXiv:2005.00928, section 3.

    Example:
        >>> swap = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).expand(1, 2, 3, 2, 2)
        >>> attention_rollout(swap)
        tensor([[[0.5000, 0.5000],
                 [0.5000, 0.5000]]])
    """
    mean = attention.mean(2)
    steps = (mean + torch.eye(mean.shape[-1], device=mean.device)) / 2
    joint = steps[:, 0]
    for layer in steps.unbind(1)[1:]:
        joint = layer @ joint
    return joint
