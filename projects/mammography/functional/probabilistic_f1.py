"""The probabilistic F-score of the RSNA 2022 screening challenge."""

import math

import numpy as np
from numpy.typing import ArrayLike


def probabilistic_f_score(labels: ArrayLike, scores: ArrayLike, beta: float = 1.0) -> float:
    r"""Return the F-score in which a case counts as positive by its probability.

    With :math:`p` clipped to [0, 1], :math:`T = \sum_{y=1} p`, precision :math:`T / \sum p` and
    recall :math:`T / n_+`, the F-score :math:`(1 + \beta^2) P R / (\beta^2 P + R)` is

    .. math:: \frac{(1 + \beta^2) T}{\beta^2 n_+ + \sum p}

    which stays defined, as 0, where every score is 0; the published code divides by zero there. It
    is the F-score of hard calls for scores of 0 and 1. It does not reward calibration: calls at
    a good threshold (:func:`~mammography.functional.operating_points.best_f_score`) score
    higher than the probabilities they were made of. The challenge scores each breast of a patient
    once: pool the scores of its images before.

    Args:
        labels: 0 or 1. Shape ``(N,)``.
        scores: Probability of class 1; clipped to [0, 1]. Shape ``(N,)``.
        beta: Weight of recall, above 0; 1 in the challenge.

    Returns:
        The score in [0, 1]; NaN without a positive case.

    Raises:
        ValueError: If the shapes differ, a label is neither 0 nor 1, a score is not finite,
            or ``beta`` is not above 0.

    References:
        Yacouby and Axman 2020, Eval4NLP, section 4; RSNA Screening Mammography Breast Cancer
        Detection 2022 (the metric of the challenge).

    Example:
        >>> round(probabilistic_f_score([1, 0, 1, 0], [0.9, 0.2, 0.4, 0.0]), 6)  # 26 / 35
        0.742857
        >>> probabilistic_f_score([0, 0], [0.1, 0.3])
        nan
    """
    label = np.asarray(labels, dtype=np.float64)
    score = np.asarray(scores, dtype=np.float64)
    if label.ndim != 1 or label.shape != score.shape:
        raise ValueError(
            "probabilistic_f_score: labels and scores must be of one shape (N,), "
            f"got {label.shape} and {score.shape}"
        )
    if not np.isin(label, (0, 1)).all() or not np.isfinite(score).all() or not beta > 0:
        raise ValueError(
            "probabilistic_f_score: labels must be 0 or 1, scores finite and beta above 0, got "
            f"labels {np.unique(label)[:4]}, {int((~np.isfinite(score)).sum())} scores that are "
            f"not finite and beta {beta}"
        )
    positives = float(label.sum())
    if positives == 0:
        return math.nan
    p = score.clip(0, 1)
    hit = float((p * label).sum())
    return (1 + beta**2) * hit / (beta**2 * positives + float(p.sum()))
