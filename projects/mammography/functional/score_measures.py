"""How good the scores of a binary task are, of cases that may count several times or not at all.

Each measure is prepared once for labels and scores and then takes many weightings: a resample
of patients is one.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from mammography.functional.curve_areas import AREAS, Ranking
from mammography.functional.metrics import SMALLEST_PROBABILITY

Floats = NDArray[np.float64]
# Weights (..., N) to values (...).
Weighted = Callable[[Floats], Floats]

BINS = 15
# Of Newton's method: most steps, the last step, the longest one, no curvature.
_STEPS, _CLOSE, _LEAP, _FLAT = 50, 1e-9, 3.0, 1e-12


def measure_scores(labels: ArrayLike, scores: ArrayLike, *measures: str) -> dict[str, float]:
    """Return measures of scores; NaN where one is not defined.

    ``roc_auc``, ``pr_auc`` and ``average_precision`` are those of
    :mod:`~mammography.functional.curve_areas`; the others need probabilities:

    - ``pf1``: probabilistic F1, where a score ``p`` counts as ``p`` of a positive call.
    - ``brier``: mean squared difference of score and label.
    - ``ece``: expected calibration error: the mean over 15 equal bins of [0, 1], by cases,
      of the distance between mean score and share of positives.
    - ``calibration_slope``: of the logistic regression of the label on the log odds of the
      score; 1 is right, below 1 the scores are too extreme.
    - ``calibration_intercept``: how far the log odds of all scores must move (slope 1) for their
      mean to be the share of positives; 0 is right, below 0 they are too high.

    Shapes:
        - labels, scores: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        scores: Higher for class 1; in [0, 1] for all but the areas.
        *measures: Names in :data:`MEASURES`.

    Raises:
        ValueError: If a score is no probability where one is needed.

    References:
        pF1: metric of the RSNA Screening Mammography Breast Cancer Detection challenge, 2022.
        Brier, Monthly Weather Review 1950;78:1. ECE: Naeini et al., AAAI 2015. Slope, and
        intercept ("calibration in the large"): Cox, Biometrika 1958;45:562; Van Calster et al.,
        BMC Medicine 2019;17:230.

    Example:
        >>> labels, scores = [0, 0, 1, 0, 1], [0.1, 0.4, 0.3, 0.2, 0.8]
        >>> found = measure_scores(labels, scores, "pf1", "brier", "ece", "calibration_slope")
        >>> {name: round(value, 3) for name, value in found.items()}
        {'pf1': 0.579, 'brier': 0.148, 'ece': 0.32, 'calibration_slope': 1.771}
    """
    truth, score = np.asarray(labels, np.float64), np.asarray(scores, np.float64)
    once = np.ones((1, truth.size))
    return {name: float(MEASURES[name](truth, score)(once)[0]) for name in measures}


def _prepare_area(name: str, labels: Floats, scores: Floats) -> Weighted:
    ranking = Ranking.of(labels, scores)

    def weighted(weights: Floats) -> Floats:
        found, false = ranking.tally(weights)
        both = (found[..., -1] > 0) & (false[..., -1] > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(both, AREAS[name](found, false), np.nan)

    return weighted


def _prepare_pf1(labels: Floats, scores: Floats) -> Weighted:
    score = _probabilities("pf1", scores)

    def weighted(weights: Floats) -> Floats:
        # Of precision c / sum(p) and recall c / positives, the harmonic mean.
        positives = weights @ labels
        value = 2 * (weights @ (labels * score)) / np.maximum(weights @ score + positives, 1e-300)
        return np.where(positives > 0, value, np.nan)

    return weighted


def _prepare_brier(labels: Floats, scores: Floats) -> Weighted:
    error = (_probabilities("brier", scores) - labels) ** 2
    return lambda weights: np.asarray(weights @ error / weights.sum(axis=-1))


def _prepare_ece(labels: Floats, scores: Floats) -> Weighted:
    score = _probabilities("ece", scores)
    member = np.digitize(score, np.linspace(0, 1, BINS + 1)[1:-1])
    excess = np.zeros((len(score), BINS))
    excess[np.arange(len(score)), member] = score - labels
    return lambda weights: np.abs(weights @ excess).sum(axis=-1) / weights.sum(axis=-1)


def _prepare_slope(labels: Floats, scores: Floats) -> Weighted:
    odds = _log_odds("calibration_slope", scores)
    centre, spread = odds.mean(), odds.std()
    if not spread > 0:
        return lambda weights: np.full(weights.shape[:-1], np.nan)
    terms = np.stack([np.ones_like(odds), (odds - centre) / spread], axis=1)
    fit = _logistic(labels, terms, 0.0)
    return lambda weights: fit(weights)[..., 1] / spread


def _prepare_intercept(labels: Floats, scores: Floats) -> Weighted:
    odds = _log_odds("calibration_intercept", scores)
    fit = _logistic(labels, np.ones((len(odds), 1)), odds)
    return lambda weights: fit(weights)[..., 0]


MEASURES: Mapping[str, Callable[[Floats, Floats], Weighted]] = {
    **{name: partial(_prepare_area, name) for name in AREAS},
    "pf1": _prepare_pf1,
    "brier": _prepare_brier,
    "ece": _prepare_ece,
    "calibration_slope": _prepare_slope,
    "calibration_intercept": _prepare_intercept,
}


def _logistic(labels: Floats, terms: Floats, offset: Floats | float) -> Weighted:
    """Prepare regressions; those of resamples begin near their ends, at the one of all cases."""
    once = np.ones((1, len(labels)))
    (start,) = _fit_logistic(labels, terms, offset, once, np.zeros(terms.shape[1]))
    start = np.where(np.isfinite(start), start, 0.0)
    return lambda weights: _fit_logistic(labels, terms, offset, weights, start)


def _fit_logistic(
    labels: Floats, terms: Floats, offset: Floats | float, weights: Floats, start: Floats
) -> Floats:
    """Return the coefficients of logistic regressions that differ in their weights.

    Newton's method, all at once. NaN where there is no maximum: with one class only, or where the
    terms put all cases in order and coefficients grow with every step.

    Shapes:
        - labels, offset: ``(N,)``; terms: ``(N, P)``; weights: ``(..., N)``; start: ``(P,)``;
          the result ``(..., P)``.
    """
    count = terms.shape[1]
    products = (terms[:, :, None] * terms[:, None, :]).reshape(len(terms), -1)
    fit = np.broadcast_to(start, (*weights.shape[:-1], count))
    step = np.full_like(fit, np.inf)
    for _ in range(_STEPS):
        chance = expit(fit @ terms.T + offset)
        gradient = (weights * (labels - chance)) @ terms
        curvature = (weights * chance * (1 - chance)) @ products
        curvature = curvature.reshape(*fit.shape, count)
        flat = np.abs(np.linalg.det(curvature)) < _FLAT
        curvature[flat] = np.eye(count)
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0].clip(-_LEAP, _LEAP)
        fit = fit + step
        if not (np.abs(step) > _CLOSE).any():
            break
    good = (np.abs(step).max(axis=-1) <= _CLOSE) & ~flat
    return np.where(good[..., None], fit, np.nan)


def _log_odds(name: str, scores: Floats) -> Floats:
    kept = _probabilities(name, scores).clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    return np.asarray(logit(kept))


def _probabilities(name: str, scores: Floats) -> Floats:
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ValueError(
            f"{name}: scores must be probabilities in [0, 1], got {scores.min():g} to "
            f"{scores.max():g}"
        )
    return scores
