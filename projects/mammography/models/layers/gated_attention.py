"""Mean of a bag of instances, weighted by a gated look at each."""

from torch import Tensor, nn


class GatedAttention(nn.Module):
    """Pool instances by the softmax of ``w (tanh(V h) * sigmoid(U h))``.

    The order of the instances does not matter.

    Shapes:
        ``(N, K, C)`` to the mean ``(N, C)`` and its weights ``(N, K)``, which sum to 1.

    Args:
        in_channels: C.
        hidden_channels: Rows of U and V.
        bias: Whether U, V and w have one.

    References:
        Ilse, Tomczak & Welling 2018, arXiv:1802.04712, equations 7 and 9.

    Example:
        >>> import torch
        >>> mean, weights = GatedAttention(8)(torch.rand(2, 6, 8))
        >>> mean.shape, torch.allclose(weights.sum(1), torch.ones(2))
        (torch.Size([2, 8]), True)
    """

    def __init__(self, in_channels: int, hidden_channels: int = 128, *, bias: bool = False) -> None:
        super().__init__()
        self.value = nn.Linear(in_channels, hidden_channels, bias=bias)
        self.gate = nn.Linear(in_channels, hidden_channels, bias=bias)
        self.score = nn.Linear(hidden_channels, 1, bias=bias)

    def forward(self, instances: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weighted mean of each bag and the weights."""
        scores = self.score(self.value(instances).tanh() * self.gate(instances).sigmoid())
        weights = scores.softmax(1)
        return (weights * instances).sum(1), weights[..., 0]
