"""From a saliency map, what it says of the whole image."""

import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor

# Below this difference of probabilities a map counts as flat: scaling it up would show the
# rounding of 32-bit floats, and its gradient would grow without bound.
_FLAT = 1e-6


def count_top(pixels: int, fraction: float) -> int:
    """Return how many pixels the top fraction of a map has, one at least.

    Example:
        >>> count_top(46 * 30, 0.02)
        28
    """
    return max(1, round(pixels * fraction))


def top_fraction_logits(logits: Tensor, fraction: float) -> Tensor:
    """Return the logit of the mean probability of the most salient pixels.

    The mean of probabilities is a probability, whose logarithm is unsafe where it is near
    0 or 1. Here both ``log p`` and ``log (1 - p)`` are sums of exponentials of the pixels'
    own logarithms, ``1 - mean(sigmoid(s)) = mean(sigmoid(-s))``, so that nothing is clamped
    and the gradient never dies: ``sigmoid`` of the result is the mean.

    Shapes:
        logits ``(N, C, h, w)``; returns ``(N, C)``.

    Args:
        logits: Of each pixel and class.
        fraction: Share of the pixels that count, in (0, 1]; at least one does.

    References:
        Shen et al. 2021, Medical Image Analysis 68:101908 (top t % pooling).

    Example:
        >>> import torch
        >>> maps = torch.tensor([[[[0.9, 0.1], [0.5, 0.1]]]]).logit()
        >>> top_fraction_logits(maps, 0.5).sigmoid()
        tensor([[0.7000]])
    """
    pixels = logits.flatten(2)
    top = pixels.topk(count_top(pixels.shape[2], fraction), dim=2).values
    return F.logsigmoid(top).logsumexp(2) - F.logsigmoid(-top).logsumexp(2)


def scale_to_unit(maps: Tensor) -> Tensor:
    """Scale each map to [0, 1] by its own extremes; a flat one becomes 0.

    Shapes:
        maps and the result ``(..., h, w)``.

    Example:
        >>> import torch
        >>> scale_to_unit(torch.tensor([[[2.0, 4.0, 3.0]], [[7.0, 7.0, 7.0]]]))
        tensor([[[0.0000, 1.0000, 0.5000]],
                [[0.0000, 0.0000, 0.0000]]])
    """
    low = maps.amin((-2, -1), keepdim=True)
    span = maps.amax((-2, -1), keepdim=True) - low
    return (maps - low) / span.clamp(min=_FLAT)
