"""Whether acting by a model does more good than acting on everybody, or on nobody."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from mammography.functional.binary_cases import Bools, Floats, binary_cases
from mammography.functional.resampling import resample_patients


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefits of K models at T thresholds. Acting on nobody has 0 at each.

    Attributes:
        thresholds: Probabilities from which one acts, ``(T,)``.
        net_benefit: True positives per case, net of false ones, ``(K, T)``.
        treat_all: The same of acting on everybody, ``(T,)``.
        avoided: Interventions that a model saves per case without missing more, ``(K, T)``; times
            100 it is per 100 cases. NaN at a threshold of 0.
        net_benefit_intervals: ``(K, T, 2)``; NaN where no patients were given.
        avoided_intervals: ``(K, T, 2)``; NaN where no patients were given.
    """

    thresholds: Floats
    net_benefit: Floats
    treat_all: Floats
    avoided: Floats
    net_benefit_intervals: Floats
    avoided_intervals: Floats


def decision_curve(
    labels: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike,
    patients: ArrayLike | None = None,
    *,
    prevalence: float | None = None,
    repeats: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> DecisionCurve:
    """Return net benefits and interventions avoided.

    The threshold is the probability at which acting and waiting are equally good, so that the harm
    of a false positive is the odds of it. That holds for calibrated probabilities only.

    Shapes:
        - labels, patients: ``(N,)``; labels are 0 or 1.
        - probabilities: ``(N,)`` or ``(K, N)``, of K models; thresholds: ``(T,)``.

    Args:
        labels: What was true.
        probabilities: Of class 1; one acts on a case whose probability reaches the threshold.
        thresholds: Rising, at least 0 and below 1.
        patients: Whom each case belongs to, for percentile intervals of resampled patients.
        prevalence: Of class 1 where the model is to be used, if cases and controls were taken in
            other shares than there.
        repeats: Number of resamples.
        seed: Of the resampling.
        level: Coverage of the intervals.

    Raises:
        ValueError: If a label or probability is none, thresholds do not rise from 0 to below 1, or
            a prevalence is given and a class has no case.

    References:
        Vickers and Elkin, Medical Decision Making 2006;26:565; interventions avoided: Vickers et
        al., BMC Medical Informatics and Decision Making 2008;8:53.

    Example:
        >>> curve = decision_curve([0, 0, 1, 1], [0.1, 0.3, 0.6, 0.9], [0.2, 0.5])
        >>> curve.net_benefit.tolist(), curve.treat_all.tolist(), curve.avoided.tolist()
        ([[0.4375, 0.5]], [0.375, 0.0], [[0.25, 0.5]])
    """
    place = "decision_curve"
    positive, table = binary_cases(place, labels, probabilities, 0 if prevalence is None else 1)
    if table.min() < 0 or table.max() > 1:
        raise ValueError(
            f"{place}: probabilities must lie between 0 and 1, got {table.min()} to {table.max()}"
        )
    at = np.asarray(thresholds, dtype=np.float64)
    if at.ndim != 1 or not at.size or (np.diff(at) <= 0).any() or not 0 <= at[0] <= at[-1] < 1:
        raise ValueError(f"{place}: thresholds must rise from at least 0 to below 1, got {at}")
    if prevalence is not None and not 0 < prevalence < 1:
        raise ValueError(f"{place}: prevalence must lie between 0 and 1, got {prevalence}")
    statistic = _net_benefits(positive, table, at, prevalence)
    shape = (len(table) + 1, at.size)
    odds = at / (1 - at)
    found = statistic(np.ones((1, positive.size))).reshape(shape)
    none = np.full((len(table), at.size, 2), np.nan)
    benefits, savings = none, none
    if patients is not None:
        draws = resample_patients(statistic, patients, repeats=repeats, seed=seed).draws
        draws = draws.reshape(-1, *shape)
        benefits = _bounds(draws[:, :-1], level)
        savings = _bounds(_avoided(draws, odds), level)
    return DecisionCurve(at, found[:-1], found[-1], _avoided(found, odds), benefits, savings)


def _net_benefits(
    positive: Bools, table: Floats, at: Floats, prevalence: float | None
) -> Callable[[Floats], Floats]:
    """Return what gives the net benefit of each model, then of all, at each threshold."""
    # Acting on everybody is a model that is certain of everybody.
    models = [*table, np.ones(positive.size)]
    odds = at / (1 - at)
    tallies = [_reached(positive, model, at) for model in models]

    def statistic(weights: Floats) -> Floats:
        ill = (weights @ positive)[:, None]
        well = weights.sum(axis=1)[:, None] - ill
        found = []
        for tally in tallies:
            true, false = tally(weights)
            if prevalence is None:
                found.append((true - false * odds) / (ill + well))
                continue
            with np.errstate(divide="ignore", invalid="ignore"):
                share = prevalence * true / ill - (1 - prevalence) * false / well * odds
            found.append(share)
        return np.concatenate(found, axis=1)

    return statistic


def _reached(
    positive: Bools, scores: Floats, at: Floats
) -> Callable[[Floats], tuple[Floats, Floats]]:
    """Return what counts the cases of both classes that reach each threshold."""
    bins = at.size + 1
    column = np.searchsorted(at, scores, side="right") + bins * positive
    entries = (np.ones(positive.size), (column, np.arange(positive.size)))
    sorter = csr_array(entries, shape=(2 * bins, positive.size))

    def tally(weights: Floats) -> tuple[Floats, Floats]:
        counts = np.asarray(sorter @ weights.T).T.reshape(len(weights), 2, bins)
        reached = counts[..., ::-1].cumsum(axis=2)[..., ::-1][..., 1:]
        return reached[:, 1], reached[:, 0]

    return tally


def _avoided(benefits: Floats, odds: Floats) -> Floats:
    gain = benefits[..., :-1, :] - benefits[..., -1:, :]
    saved = np.divide(gain, odds, out=np.full(gain.shape, np.nan), where=odds > 0)
    return np.asarray(saved)


def _bounds(draws: Floats, level: float) -> Floats:
    tails = [(1 - level) / 2, (1 + level) / 2]
    return np.moveaxis(np.quantile(draws, tails, axis=0), 0, -1)
