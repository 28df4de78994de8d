"""Average precisions of images or breasts whose patients may have several."""

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.binary_cases import Floats, binary_cases, patients_of
from mammography.functional.curve_areas import Ranking, average_precision
from mammography.functional.jackknife import Jackknife

Sampling = Literal["cohort", "case_control"]


def jackknife_average_precisions(
    labels: ArrayLike,
    patients: ArrayLike,
    *scores: ArrayLike,
    sampling: Sampling = "cohort",
) -> Jackknife:
    """Return the average precision of each score, and without each patient.

    In O(n log n) where patients have a handful of cases: each pair of numbers of true and false
    positives that some patient takes away costs one more pass.

    ``estimates(scale="logit")`` of the result are intervals that hold for some tens of positive
    cases, where percentiles of resamples are too narrow; ``contrast`` compares two scores.

    An average precision depends on the share of positive cases. In a cohort, which takes whoever
    comes, that share is itself left to chance; where a study fixed how many positive and
    negative patients it took, it is not, and the interval is narrower.

    Shapes:
        - labels, patients and each of scores: ``(N,)``; labels are 0 or 1. Ties share a threshold.

    Args:
        labels: What was true.
        patients: Whom each case belongs to.
        *scores: Higher for class 1, one or more of the same cases.
        sampling: ``cohort`` or ``case_control``, where the numbers were fixed.

    Raises:
        ValueError: If a class is found in fewer than two patients, a label or score is no number it
            can be, or the sampling is unknown.

    Example:
        >>> labels, scores = [0, 1] * 4, [0.1, 0.9, 0.3, 0.4, 0.5, 0.6, 0.2, 0.7]
        >>> found = jackknife_average_precisions(labels, range(8), scores)
        >>> round(float(found.values[0]), 3), found.left.shape
        (0.95, (8, 1))
    """
    place = "jackknife_average_precisions"
    if sampling not in ("cohort", "case_control"):
        raise ValueError(f"{place}: sampling must be 'cohort' or 'case_control', got {sampling!r}")
    positive, table = binary_cases(place, labels, scores, fewest=1)
    member = patients_of(place, patients, positive.size)
    with1, with0 = (np.unique(member[side]) for side in (positive, ~positive))
    if min(with1.size, with0.size) < 2:
        raise ValueError(
            f"{place}: each class must be found in at least 2 patients, "
            f"got {with1.size} with positive and {with0.size} with negative cases"
        )
    kinds = np.zeros(int(member.max()) + 1, np.intp)
    kinds[with1] = 1
    if sampling == "case_control" and (kinds == 0).sum() < 2:
        raise ValueError(
            f"{place}: case_control must have at least 2 patients without a positive case, "
            f"got {(kinds == 0).sum()}; use cohort"
        )
    rankings = [Ranking.of(positive, row) for row in table]
    whole = [average_precision(*ranking.tally(np.ones(positive.size))) for ranking in rankings]
    left = [_without_each(ranking, member) for ranking in rankings]
    return Jackknife(np.array(whole), np.stack(left, axis=1), kinds, sampling == "case_control")


def _without_each(ranking: Ranking, member: NDArray[np.intp]) -> Floats:
    """Return the average precision without each patient, ``(P,)``.

    Below the first of her cases all thresholds lose the same numbers of true and false positives,
    up to the next of her cases: sums over such a stretch are differences of sums from the top, of
    which there is one for each pair of numbers that some patient takes away.
    """
    found, false = ranking.tally(np.ones(member.size))
    steps = np.diff(found, prepend=0.0)
    run_of = np.zeros(member.size, np.intp)
    run_of[ranking.starts[1:]] = 1
    run_of = np.cumsum(run_of)
    # Cases of one patient at one threshold, in the order of patients, then from the top.
    key = member[ranking.order] * found.size + run_of
    groups, group_of = np.unique(key, return_inverse=True)
    patient, run = np.divmod(groups, found.size)
    taken, healthy = (
        np.bincount(group_of, weights=side) for side in (ranking.positive, ~ranking.positive)
    )
    fresh = np.diff(patient, prepend=-1) > 0
    lost1 = _running(taken, fresh)
    lost0 = _running(healthy, fresh)
    upto = np.append(np.where(fresh[1:], found.size, run[1:]), found.size)

    sums = np.zeros(groups.size)
    pairs, pair_of = np.unique(np.stack([lost1, lost0]), axis=1, return_inverse=True)
    for pair, (less1, less0) in enumerate(pairs.T):
        chosen = np.ravel(pair_of) == pair
        above = found + false - less1 - less0
        precision = np.divide(found - less1, above, out=np.zeros_like(found), where=above > 0)
        total = np.append(0.0, np.cumsum(steps * precision))
        sums[chosen] = total[upto[chosen]] - total[run[chosen]]
        sums[chosen] -= taken[chosen] * precision[run[chosen]]
    untouched = np.append(0.0, np.cumsum(steps * found / (found + false)))
    sums[fresh] += untouched[run[fresh]]
    kept = found[-1] - np.bincount(patient, weights=taken)
    return np.asarray(np.bincount(patient, weights=sums) / kept)


def _running(counts: NDArray[Any], fresh: NDArray[np.bool_]) -> Floats:
    """Return the sums so far within each patient; fresh marks her first."""
    total = np.cumsum(counts)
    before = total - counts
    return np.asarray(total - before[fresh][np.cumsum(fresh) - 1])
