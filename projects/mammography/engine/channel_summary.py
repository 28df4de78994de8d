"""What is kept of the values that pass through a layer: exact moments and some of the values."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mammography.functional.batch_norm import Moments, measure_moments


class ChannelSummary:
    """Moments of all values of each channel, and a sample of positions, of bounded size.

    A position (an image and a place in it) is drawn for all channels together, so the sample is
    of vectors as much as of values. Over several calls it is uniform over all positions, and
    it follows from the seed and the shapes alone: two models of one architecture are
    looked at in the same places. The generators of Python, NumPy and torch stay as they are.

    Args:
        most: Positions to keep, >= 1.
        seed: Of the choice.

    Attributes:
        moments: Of all values; None before the first.
    """

    def __init__(self, most: int, seed: tuple[int, ...]) -> None:
        self.most = most
        self.moments: Moments | None = None
        self._random = np.random.default_rng(seed)
        self._kept: Tensor | None = None
        self._seen = 0

    @torch.no_grad()
    def add(self, values: Tensor) -> None:
        """Take in the values of a call.

        Shapes:
            values: ``(N, C, ...)``, on any device, in any precision.
        """
        values = values.detach()
        moments = measure_moments(values, all_processes=False)
        self.moments = self.moments.merge(moments) if self.moments else moments
        flat = values.flatten(2) if values.ndim > 2 else values[..., None]
        places = flat.shape[2]
        new = len(flat) * places
        # How many of the sample fall on the new positions, were it drawn from all at once.
        total = min(self.most, self._seen + new)
        taken = int(self._random.hypergeometric(new, self._seen, total)) if self._seen else total
        chosen = self._random.choice(new, taken, replace=False, shuffle=False)
        rows, columns = (torch.from_numpy(each).to(flat.device) for each in divmod(chosen, places))
        vectors = flat[rows, :, columns].float().cpu()
        if self._kept is not None:
            stay = self._random.choice(len(self._kept), total - taken, replace=False)
            vectors = torch.cat([self._kept[torch.from_numpy(stay)], vectors])
        self._kept, self._seen = vectors, self._seen + new

    def values(self) -> NDArray[np.float32]:
        """Return the sample. Shape ``(C, K)`` with K at most ``most``."""
        kept = torch.zeros(0, 0) if self._kept is None else self._kept
        return kept.T.contiguous().numpy()

    def describe(self) -> dict[str, NDArray[np.float64]]:
        """Return count ``()``, mean and unbiased variance ``(C,)`` of all values."""
        if self.moments is None:
            raise ValueError("ChannelSummary: there must be values, got none")
        moments = self.moments
        parts = (moments.count, moments.mean, moments.variance(unbiased=True))
        names = ("count", "mean", "variance")
        return {name: part.cpu().numpy() for name, part in zip(names, parts, strict=True)}
