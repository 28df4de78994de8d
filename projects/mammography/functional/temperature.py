"""Temperature scaling: one number that makes probabilities as sure as they are right."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

Floats = NDArray[np.float64]

# Probabilities come in single precision, which rounds to 0 and 1 what it cannot tell from them.
_SMALLEST = 1e-12
_COLDEST, _HOTTEST = 1e-3, 1e3


def fit_temperature(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the temperature T whose scaled probabilities have the least cross-entropy.

    In 1 / T the cross-entropy is convex: its one minimum is where the slope is zero.

    Shapes:
        probabilities ``(N,)`` of class 1, or ``(N, K)`` of K classes; labels ``(N,)``.

    Args:
        probabilities: Of images that the model did not learn from.
        labels: Class indices.

    Returns:
        T, above 0; above 1 if the probabilities were too sure.

    Raises:
        ValueError: If there is no minimum between 0.001 and 1000: the classes are parted without an
            error, or the probabilities say less than chance.

    References:
        Guo et al. 2017, arXiv:1706.04599, section 4.2.

    Example:
        >>> sure = np.repeat([0.99, 0.01], 50)  # and right in nine cases of ten
        >>> labels = np.tile([1, 1, 1, 1, 1, 1, 1, 1, 1, 0], 5)
        >>> round(fit_temperature(sure, np.concatenate([labels, 1 - labels])), 3)
        2.091
    """
    logits = _logits(np.asarray(probabilities, dtype=np.float64))
    indices = np.asarray(labels).astype(np.intp)
    if indices.shape != logits.shape[:1] or not len(indices):
        raise ValueError(
            f"fit_temperature: labels must be as many as predictions, above 0, "
            f"got {indices.size} for {len(logits)}"
        )
    own = logits[np.arange(len(logits)), indices]

    def slope(inverse: float) -> float:
        """Of the mean cross-entropy along 1 / T."""
        shares = _softmax(logits * inverse)
        return float(((shares * logits).sum(axis=1) - own).mean())

    if not slope(1 / _HOTTEST) < 0 < slope(1 / _COLDEST):
        why = "say less than chance" if slope(1 / _HOTTEST) >= 0 else "part them without an error"
        raise ValueError(
            f"fit_temperature: labels must leave room for a temperature from {_COLDEST} to "
            f"{_HOTTEST}, got {len(own)} that the probabilities {why}: take more images"
        )
    return 1 / float(brentq(slope, 1 / _HOTTEST, 1 / _COLDEST, xtol=1e-14, rtol=1e-13))


def scale_by_temperature(probabilities: ArrayLike, temperature: float) -> Floats:
    """Return the probabilities whose logits are divided by a temperature.

    Their order within a class of binary predictions stays, and so do ROC-AUC and accuracy.

    Shapes:
        ``(N,)`` of class 1, or ``(N, K)``; the result the same.

    Raises:
        ValueError: If the temperature is not above 0.

    Example:
        >>> scale_by_temperature([0.5, 0.9], 2.0).round(3).tolist()
        [0.5, 0.75]
    """
    if not temperature > 0:
        raise ValueError(f"scale_by_temperature: temperature must be above 0, got {temperature}")
    given = np.asarray(probabilities, dtype=np.float64)
    scaled = _softmax(_logits(given) / temperature)
    return scaled if given.ndim > 1 else np.asarray(scaled[:, 1])


def _logits(probabilities: Floats) -> Floats:
    """Return logarithms of probabilities, which are logits up to a constant per row, ``(N, K)``."""
    if probabilities.ndim == 1:
        probabilities = np.stack([1 - probabilities, probabilities], axis=1)
    return np.asarray(np.log(probabilities.clip(_SMALLEST, 1)))


def _softmax(logits: Floats) -> Floats:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
