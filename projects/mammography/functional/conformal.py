"""Prediction sets that hold the true class as often as asked, whatever the model is worth."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def conformal_threshold(nonconformity: ArrayLike, alpha: float) -> float:
    """Return the threshold that a new score exceeds with a probability of at most alpha.

    The k-th smallest of n scores with ``k = ceil((n + 1) (1 - alpha))``, and infinite, so that
    every set is whole, where n is too small for alpha (k > n).

    Shapes:
        nonconformity: ``(n,)``, one for each of what is exchangeable: patients, not images.

    Args:
        nonconformity: Scores of the calibration, larger where the truth is stranger.
        alpha: In (0, 1).

    Raises:
        ValueError: If alpha lies outside.

    References:
        Angelopoulos and Bates 2021, arXiv:2107.07511, section 1 and appendix D.

    Example:
        >>> scores = np.arange(1, 20) / 20  # n = 19: k = 18
        >>> conformal_threshold(scores, 0.1), conformal_threshold(scores, 0.01)
        (0.9, inf)
    """
    if not 0 < alpha < 1:
        raise ValueError(f"conformal_threshold: alpha must lie in (0, 1), got {alpha}")
    scores = np.sort(np.asarray(nonconformity, dtype=np.float64))
    # Rounded first: 10 * (1 - 0.3) must not be a little more than 7.
    k = math.ceil(round((len(scores) + 1) * (1 - alpha), 9))
    return float(scores[k - 1]) if k <= len(scores) else math.inf


def label_nonconformity(probabilities: ArrayLike, labels: ArrayLike) -> Floats:
    """Return one minus the probability of the true class, ``(N,)``: that of LAC.

    Shapes:
        probabilities ``(N, K)``, labels ``(N,)`` of class indices.

    References:
        Sadinle, Lei and Wasserman, JASA 2019;114:223 ("least ambiguous set-valued classifiers").
    """
    table = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(1 - table[np.arange(len(table)), np.asarray(labels).astype(np.intp)])


def prediction_sets(probabilities: ArrayLike, thresholds: ArrayLike) -> NDArray[np.bool_]:
    """Return which classes conform: those whose nonconformity is at most the threshold.

    A set may be empty: the image is like none of the calibration.

    Shapes:
        probabilities ``(N, K)``; thresholds one number, or ``(K,)`` of the classes (Mondrian);
        returns ``(N, K)``.

    Example:
        >>> prediction_sets([[0.3, 0.7], [0.45, 0.55]], 0.55).tolist()
        [[False, True], [True, True]]
    """
    table = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(1 - table <= np.asarray(thresholds, dtype=np.float64))
