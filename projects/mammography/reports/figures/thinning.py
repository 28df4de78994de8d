"""Curves made readable: fewer points for the same picture, and running means."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAX_POINTS = 2000


def thin(
    x: ArrayLike, y: ArrayLike, max_points: int = MAX_POINTS
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Keep the points of a curve that its drawing needs.

    The curve is cut into equal runs of points; of each run the first, the lowest, the
    highest and the last point stay, so that no peak is lost. Points that are not finite
    count as neither lowest nor highest; they stay where they are first or last.

    Shapes:
        x, y: (N,); both results (M,) with M <= max(N, max_points) and M = N for short curves.

    Args:
        x: Positions in drawing order.
        y: Values.
        max_points: Most points to keep; at least 4.

    References:
        Jugel et al., M4: a visualization-oriented time series data aggregation, PVLDB 2014.

    Example:
        >>> x, y = thin(range(9), [0, 0, 0, 9, 0, -1, 0, 0, 5], max_points=4)
        >>> x.tolist(), y.tolist()
        ([0, 3, 5, 8], [0, 9, -1, 5])
    """
    x, y = np.asarray(x), np.asarray(y)
    if len(y) <= max_points:
        return x, y
    keep: set[int] = set()
    for run in np.array_split(np.arange(len(y)), max_points // 4):
        values = y[run]
        low = np.where(np.isfinite(values), values, np.inf).argmin()
        high = np.where(np.isfinite(values), values, -np.inf).argmax()
        keep |= {int(run[0]), int(run[low]), int(run[high]), int(run[-1])}
    kept = sorted(keep)
    return x[kept], y[kept]


def running_mean(x: ArrayLike, y: ArrayLike, window: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Average each run of ``window`` consecutive finite values.

    Shapes:
        x, y: (N,); both results (M - window + 1,) for M finite values, (0,) for fewer than window.

    Args:
        x: Positions in drawing order.
        y: Values; those that are not finite are left out.
        window: Number of values in a mean; at least 1.

    Example:
        >>> running_mean([1, 2, 3, 4], [0.0, 2.0, float("nan"), 4.0], window=2)
        (array([1.5, 3. ]), array([1., 3.]))
    """
    places, values = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    finite = np.isfinite(values)
    if finite.sum() < window:
        return np.empty(0), np.empty(0)
    weights = np.full(window, 1 / window)
    means = [np.convolve(part[finite], weights, "valid") for part in (places, values)]
    return means[0], means[1]
