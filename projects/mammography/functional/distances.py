"""How far apart two sets of values are: per channel, of Gaussians, and of whole vectors."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist, pdist
from scipy.stats import energy_distance, ks_2samp, wasserstein_distance

Floats = NDArray[np.float64]


def wasserstein1_per_channel(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the 1-Wasserstein distance of each channel, in the unit of the values.

    Shapes:
        a: ``(C, K)``; b: ``(C, L)``; result: ``(C,)``.

    References:
        :func:`scipy.stats.wasserstein_distance`.

    Example:
        >>> wasserstein1_per_channel([[0, 1]], [[2, 3, 2, 3]])
        array([2.])
    """
    return _per_channel(wasserstein_distance, a, b)


def energy_per_channel(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the energy distance of each channel. Shapes as of :func:`wasserstein1_per_channel`.

    References:
        Székely & Rizzo 2013; the square root, as :func:`scipy.stats.energy_distance`.
    """
    return _per_channel(energy_distance, a, b)


def kolmogorov_smirnov_per_channel(a: ArrayLike, b: ArrayLike) -> Floats:
    """Return the largest difference of the distribution functions, from 0 to 1.

    Without a p-value: values of one image are far from independent.
    Shapes as of :func:`wasserstein1_per_channel`.
    """
    return _per_channel(_largest_difference, a, b)


def symmetric_kl_of_gaussians(
    mean_a: ArrayLike, variance_a: ArrayLike, mean_b: ArrayLike, variance_b: ArrayLike
) -> Floats:
    """Return KL(a, b) + KL(b, a) of one-dimensional Gaussians, in nats.

    The same for values before and after a batch norm with stored statistics: scale and offset
    leave it as it is.

    Shapes:
        all: ``(C,)``.

    Args:
        mean_a: Means.
        variance_a: Variances, > 0. Add the ``eps`` of a batch norm where they may be 0.
        mean_b: Means.
        variance_b: Variances, > 0.

    Raises:
        ValueError: If a variance is not positive: the divergence would be infinite.

    References:
        Jeffreys 1946; the closed form of Gaussians.

    Example:
        >>> symmetric_kl_of_gaussians([0.0], [1.0], [2.0], [1.0])
        array([4.])
    """
    mean_a, variance_a, mean_b, variance_b = map(_floats, (mean_a, variance_a, mean_b, variance_b))
    for variance in (variance_a, variance_b):
        if not (variance > 0).all():
            raise ValueError(
                "symmetric_kl_of_gaussians: variances must be > 0, got "
                f"{variance.min():g}: add the eps of the batch norm"
            )
    squares = np.square(mean_a - mean_b)
    ratios = (variance_a + squares) / variance_b + (variance_b + squares) / variance_a
    return np.asarray(ratios / 2 - 1)


def wasserstein2_of_gaussians(
    mean_a: ArrayLike, variance_a: ArrayLike, mean_b: ArrayLike, variance_b: ArrayLike
) -> Floats:
    """Return the 2-Wasserstein distance of one-dimensional Gaussians, in the unit of the values.

    Shapes:
        all: ``(C,)``.

    Example:
        >>> wasserstein2_of_gaussians([0.0], [1.0], [3.0], [25.0])
        array([5.])
    """
    spread = np.sqrt(_floats(variance_a)) - np.sqrt(_floats(variance_b))
    return np.asarray(np.hypot(_floats(mean_a) - _floats(mean_b), spread))


def frechet_distance(
    mean_a: ArrayLike, covariance_a: ArrayLike, mean_b: ArrayLike, covariance_b: ArrayLike
) -> float:
    """Return the squared Fréchet distance of two Gaussians, as the FID has it.

    The trace of the root of the product comes from symmetric eigenvalue problems:
    covariances of fewer samples than dimensions need no offset on the diagonal, and nothing
    imaginary is left to cut off, as a root of the product itself would leave.

    Shapes:
        means ``(D,)``, covariances ``(D, D)``, symmetric, without negative eigenvalues.

    References:
        Dowson & Landau 1982; Heusel et al. 2017, arXiv:1706.08500, equation 6.

    Example:
        >>> frechet_distance([0.0], [[1.0]], [3.0], [[25.0]])
        25.0
    """
    covariance_a, covariance_b = _floats(covariance_a), _floats(covariance_b)
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ covariance_b @ root)
    squares = np.square(_floats(mean_a) - _floats(mean_b)).sum()
    trace = np.trace(covariance_a) + np.trace(covariance_b)
    distance = squares + trace - 2 * np.sqrt(shared.clip(min=0)).sum()
    return max(0.0, float(distance))  # equal ones differ by rounding


def squared_mmd(
    x: ArrayLike, y: ArrayLike, gamma: float | None = None, *, unbiased: bool = True
) -> float:
    """Return the squared maximum mean discrepancy with kernel ``exp(-gamma |x - y|^2)``.

    Takes time and memory of the square of the number of vectors.

    Shapes:
        x: ``(N, D)``; y: ``(M, D)``.

    Args:
        x: Vectors, at least two if unbiased.
        y: Vectors, at least two if unbiased.
        gamma: Of the kernel, > 0; by :func:`median_gamma` if None.
        unbiased: Leave out pairs of a vector with itself. The result is 0 in the mean
            for equal distributions, so it may be negative.

    Raises:
        ValueError: If there are too few vectors.

    References:
        Gretton et al. 2012, "A kernel two-sample test", equations 3 (unbiased) and 5 (biased).
    """
    x, y = _floats(x), _floats(y)
    if min(len(x), len(y)) < 1 + unbiased:
        raise ValueError(
            f"squared_mmd: there must be at least {1 + unbiased} vectors on either side, "
            f"got {len(x)} and {len(y)}"
        )
    gamma = median_gamma(x, y) if gamma is None else gamma
    within = sum(_mean_kernel_within(each, gamma, unbiased=unbiased) for each in (x, y))
    return float(within - 2 * np.exp(-gamma * cdist(x, y, "sqeuclidean")).mean())


def median_gamma(x: ArrayLike, y: ArrayLike) -> float:
    """Return ``1 / (2 m^2)``, m the median distance between vectors of both sets together.

    Shapes:
        x: ``(N, D)``; y: ``(M, D)``.

    Returns:
        The gamma; 1 where more than half of all pairs are equal, and m is 0.

    References:
        Gretton et al. 2012, section 8 (median heuristic).

    Example:
        >>> median_gamma([[0.0]], [[2.0]])
        0.125
    """
    squared = float(np.median(pdist(np.concatenate([_floats(x), _floats(y)]), "sqeuclidean")))
    return 1 / (2 * squared) if squared > 0 else 1.0


def _mean_kernel_within(x: Floats, gamma: float, *, unbiased: bool) -> float:
    """Return the mean of the kernel over pairs of one set, each pair of two in both orders."""
    total = 2 * np.exp(-gamma * pdist(x, "sqeuclidean")).sum()
    count = len(x)
    return float(total / (count * (count - 1)) if unbiased else (total + count) / count**2)


def _per_channel(distance: Callable[[Floats, Floats], float], a: ArrayLike, b: ArrayLike) -> Floats:
    pairs = zip(_floats(a), _floats(b), strict=True)
    return np.array([distance(one, other) for one, other in pairs], dtype=np.float64)


def _largest_difference(a: Floats, b: Floats) -> float:
    return float(ks_2samp(a, b, method="asymp").statistic)


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
