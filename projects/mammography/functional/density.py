"""Densities of the values of many channels, estimated by kernels on a grid that they share."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import gaussian_kde

Floats = NDArray[np.float64]


def shared_grid(sets: Sequence[ArrayLike], points: int = 256, central: float = 0.998) -> Floats:
    """Return a grid over the values of all sets, so that their densities can be compared.

    It reaches over the central share of the values of every set and a twentieth further on either
    side: a single outlier would squeeze everything else. Half of the points are evenly
    spaced. The others lie where the values of each set lie, so that one with a narrow
    distribution is seen beside one with a wide one.

    Shapes:
        each of the sets: ``(C, K)``; result: ``(G,)``, ascending, G at most ``points``.

    Args:
        sets: Finite values of the channels of several models.
        points: Most points of the grid, at least 2 and 2 for each set.
        central: Share of the values of a set that must lie inside, in (0, 1].

    Example:
        >>> shared_grid([[[0, 10]], [[5, 20]]], points=8, central=1.0)
        array([-1.        ,  0.        ,  5.        ,  6.33333333, 10.        ,
               13.66666667, 20.        , 21.        ])
    """
    count = points // 2 // len(sets)
    shares = (1 - central) / 2 + central * np.linspace(0, 1, max(2, count))
    inside = np.concatenate([np.quantile(np.asarray(each), shares) for each in sets])
    low, high = float(inside.min()), float(inside.max())
    margin = (high - low) / 20 or 0.5  # all of them constant and equal
    even = np.linspace(low - margin, high + margin, points - points // 2)
    return np.unique(np.concatenate([even, inside]))


def estimate_densities(
    values: ArrayLike,
    grid: ArrayLike,
    *,
    bandwidth: Literal["scott", "silverman"] = "scott",
    narrowest: ArrayLike = 0.0,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Estimate the density of each channel with Gaussian kernels.

    The width of the kernels is the standard deviation of the channel times
    ``K ** (-1 / 5)`` (Scott). A constant channel has no such density: it is marked as a
    spike, its row is 0, and the others are estimated all the same.

    Shapes:
        values: ``(C, K)``; grid: ``(G,)``; narrowest: ``()`` or ``(C,)``; densities:
        ``(C, G)``; spikes: ``(C,)``.

    Args:
        values: Finite values, K >= 2.
        grid: Where to evaluate.
        bandwidth: Rule for the width.
        narrowest: Standard deviation up to which a channel counts as a spike: on a grid
            that is coarser, its peak would fall between two points.

    Returns:
        Densities and which channels are spikes.

    Raises:
        ValueError: If values are not finite, or too few.

    References:
        Scott 1992; :class:`scipy.stats.gaussian_kde`.

    Example:
        >>> densities, spikes = estimate_densities([[0.0, 1.0, 2.0], [7.0, 7.0, 7.0]], [1.0, 7.0])
        >>> densities.round(3), spikes
        (array([[0.318, 0.   ],
               [0.   , 0.   ]]), array([False,  True]))
    """
    values, grid = np.asarray(values, dtype=np.float64), np.asarray(grid, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not np.isfinite(values).all():
        raise ValueError(
            "estimate_densities: values must be finite, (channels, two values or more), got shape "
            f"{values.shape} with {(~np.isfinite(values)).sum()} that are not finite"
        )
    rounding = 1e-6 * np.abs(values).max(axis=1)  # values come as float32
    spikes = values.std(axis=1, ddof=1) <= np.maximum(rounding, np.asarray(narrowest))
    densities = np.zeros((len(values), len(grid)))
    for channel in np.flatnonzero(~spikes):
        densities[channel] = gaussian_kde(values[channel], bandwidth)(grid)
    return densities, spikes
