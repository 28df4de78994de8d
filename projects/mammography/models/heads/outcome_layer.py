"""What the last layers of all kinds of outcome share."""

from torch import Tensor, nn

from mammography.structures.task import Task


class OutcomeLayer(nn.Module):
    """A linear map, and a mean over samples of equal weight.

    Shapes:
        Features ``(N, C)`` to outputs ``(N, outputs)``.

    Args:
        task: Name, kind and classes of the outcome.
        in_channels: C.
        outputs: Numbers per sample: the logits, and whatever else the layer learns.
    """

    def __init__(self, task: Task, in_channels: int, outputs: int) -> None:
        super().__init__()
        self.task = task
        self.linear = nn.Linear(in_channels, outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Return the outputs, ``(N, outputs)``, that the other methods read."""
        out: Tensor = self.linear(features)
        return out

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the logits among the outputs."""
        return outputs

    def losses(self, outputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of each sample and its weight in the mean, both ``(N,)``."""
        raise NotImplementedError

    def scores(self, outputs: Tensor) -> Tensor:
        """Return what is predicted: ``(N,)``, or ``(N, K)`` class probabilities."""
        raise NotImplementedError

    def uncertainty(self, outputs: Tensor) -> dict[str, Tensor]:
        """Return how unsure the prediction is, by part, each ``(N,)``; {} where not learned."""
        del outputs
        return {}


def checked_smoothing(share: float) -> float:
    """Return a share of label smoothing that leaves the label the largest.

    Raises:
        ValueError: If it is outside [0, 1).
    """
    if not 0 <= share < 1:
        raise ValueError(f"label_smoothing must lie in [0, 1), got {share}")
    return share
