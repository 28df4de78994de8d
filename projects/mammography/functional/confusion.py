"""What a threshold does to the cases of a study: counts, and the rates of screening."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import Floats, binary_cases
from mammography.functional.proportions import Method, proportion_intervals
from mammography.functional.resamples import Resamples
from mammography.functional.resampling import patient_strata, resample_patients


@dataclass(frozen=True, eq=False)
class Confusion:
    """Cases by what was true and what a threshold says, one number per threshold, ``(T,)``."""

    true_positive: Floats
    false_positive: Floats
    false_negative: Floats
    true_negative: Floats


@dataclass(frozen=True, eq=False)
class Rates:
    """Shares of cases with each of several thresholds.

    Attributes:
        values: ``(T,)``; NaN where there is no case to take a share of.
        intervals: ``(T, 2)``.
        cases: Of how many cases these are shares, ``(T,)``.
    """

    values: Floats
    intervals: Floats
    cases: Floats


# What is counted, and of how many.
RATES: Mapping[str, Callable[[Confusion], tuple[Floats, Floats]]] = {
    "sensitivity": lambda c: (c.true_positive, c.true_positive + c.false_negative),
    "specificity": lambda c: (c.true_negative, c.true_negative + c.false_positive),
    "ppv": lambda c: (c.true_positive, c.true_positive + c.false_positive),
    "npv": lambda c: (c.true_negative, c.true_negative + c.false_negative),
    "recall_rate": lambda c: (c.true_positive + c.false_positive, _all(c)),
    "detection_rate": lambda c: (c.true_positive, _all(c)),
    "accuracy": lambda c: (c.true_positive + c.true_negative, _all(c)),
}


def _all(counts: Confusion) -> Floats:
    calls = counts.true_positive + counts.false_positive
    return np.asarray(calls + counts.false_negative + counts.true_negative)


def confusion_at(labels: ArrayLike, scores: ArrayLike, thresholds: ArrayLike) -> Confusion:
    """Count cases with each threshold; a score that equals it is called positive.

    Shapes:
        - labels, scores: ``(N,)``; labels are 0 or 1. thresholds: any shape, that of the counts.

    Raises:
        ValueError: If a label or score is no number it can be.

    Example:
        >>> counts = confusion_at([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8], [0.4, 0.5])
        >>> counts.true_positive.tolist(), counts.false_positive.tolist()
        ([2.0, 1.0], [1.0, 0.0])
    """
    positive, table = binary_cases("confusion_at", labels, scores)
    above = []
    for side in (positive, ~positive):
        ranked = np.sort(table[0][side])
        below = np.searchsorted(ranked, thresholds, side="left")
        above.append(np.asarray(ranked.size - below, dtype=np.float64))
    found, false = above
    return Confusion(found, false, positive.sum() - found, (~positive).sum() - false)


def confusion_rates(
    counts: Confusion, level: float = 0.95, method: Method = "wilson"
) -> dict[str, Rates]:
    """Return the rates of :data:`RATES` with intervals for independent cases.

    ``recall_rate`` is the share of all cases that are called positive, as in a screening audit,
    and not the sensitivity; ``detection_rate`` is that of cancers found among all cases. These
    and both predictive values are those of a study with its share of positives: in a
    study that took cases and controls they say nothing of screening.

    Args:
        counts: Of cases.
        level: Coverage of the intervals.
        method: See :func:`~mammography.functional.proportions.proportion_intervals`.

    Example:
        >>> counts = confusion_at([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8], [0.4])
        >>> float(confusion_rates(counts)["specificity"].values[0])
        0.5
    """
    found = {}
    for name, of_counts in RATES.items():
        successes, trials = (np.asarray(part, dtype=np.float64) for part in of_counts(counts))
        shares = np.divide(successes, trials, out=np.full(trials.shape, np.nan), where=trials > 0)
        intervals = proportion_intervals(successes, trials, level, method)
        found[name] = Rates(shares, intervals, trials)
    return found


def bootstrap_rates(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    threshold: float,
    *,
    rates: Sequence[str] = ("sensitivity", "specificity", "ppv", "npv", "recall_rate"),
    stratified: bool = False,
    repeats: int = 2000,
    seed: int = 0,
    jackknife: bool = False,
) -> Resamples:
    """Return rates of resampled patients with one threshold, in the order of ``rates``.

    For images or breasts whose patients have several. A resample without a case to take a
    share of is drawn again. Stratified, as many patients with a positive case are drawn as there
    are, as where a study fixed its numbers.

    Shapes:
        - labels, patients: ``(N,)``; scores: ``(N,)`` or ``(K, N)``. All rates of the first
          score come first, then of the next.

    Raises:
        ValueError: If a rate is unknown, or not defined for the study itself.
    """
    if unknown := set(rates) - set(RATES):
        raise ValueError(
            f"bootstrap_rates: rates must be among {', '.join(RATES)}, got {sorted(unknown)}"
        )
    positive, table = binary_cases("bootstrap_rates", labels, scores)
    called = table >= threshold
    kinds = [np.stack([positive & c, ~positive & c, positive & ~c, ~positive & ~c]) for c in called]
    which = np.concatenate(kinds).astype(np.float64)

    def statistic(weights: Floats) -> Floats:
        counts = (weights @ which.T).reshape(len(weights), -1, 4)
        shares = [RATES[name](Confusion(*np.moveaxis(counts, -1, 0))) for name in rates]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack([part / of for part, of in shares], axis=2).reshape(len(weights), -1)

    return resample_patients(
        statistic,
        patients,
        strata=patient_strata(positive, patients) if stratified else None,
        repeats=repeats,
        seed=seed,
        jackknife=jackknife,
    )
