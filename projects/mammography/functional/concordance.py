"""Whether those who fall ill earlier had the higher scores, where not all were seen to do so."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.binary_cases import Bools, Floats
from mammography.functional.delong import area_interval
from mammography.functional.estimate import Estimate

Ranks = NDArray[np.int64]


def concordance_index(
    times: ArrayLike, scores: ArrayLike, events: ArrayLike, level: float = 0.95
) -> Estimate:
    """Return Harrell's C with its interval, in O(n log² n).

    Of two patients of whom one is known to fall ill first it is how often that one has the
    higher score; equal scores count half. Two events at one time are no such pair; an
    event and a patient last seen well at that time are one. With many patients lost early it
    depends on when they were lost.

    Shapes:
        - times, scores, events: ``(N,)``, one row per patient.

    Args:
        times: Until the event, or until last seen without; in any unit.
        scores: Higher for an earlier event.
        events: Whether the event was seen, 1, or not, 0.
        level: Coverage of the interval, on the scale of log odds.

    Returns:
        The index, and the interval from leaving out each patient in turn; NaN where no pair tells.

    Raises:
        ValueError: If they are not as many, or one is no number it can be.

    References:
        Harrell et al., Journal of the American Medical Association 1982;247:2543; ties as in
        Therneau and Watson, The concordance statistic and the Cox model, Mayo Clinic 2015.

    Example:
        >>> concordance_index([2, 4, 6, 9], [0.9, 0.3, 0.5, 0.1], [1, 1, 0, 1]).value
        0.8
    """
    time, score, seen = _checked(times, scores, events)
    # Who is seen well at a time outlives who falls ill at it.
    order = np.lexsort((~seen, time))
    fresh = np.diff(time[order], prepend=-np.inf) > 0
    fresh |= np.diff(seen[order].astype(int), prepend=1) != 0
    rank = np.empty(time.size, np.int64)
    rank[order] = np.cumsum(fresh) - 1
    level_of = np.unique(score, return_inverse=True)[1].astype(np.int64)
    # As the one who falls ill first, and as the other of a pair.
    won = np.where(seen, _beaten(rank, level_of, np.ones_like(seen)), 0.0)
    pairs = np.where(seen, (rank.size - np.searchsorted(np.sort(rank), rank, "right")), 0)
    turned = _beaten(rank.max() - rank, level_of.max() - level_of, seen)
    earlier = np.searchsorted(np.sort(rank[seen]), rank, "left")
    if not pairs.sum():
        return Estimate(math.nan)
    total, count = float(won.sum()), float(pairs.sum())
    left = count - pairs - earlier
    without = np.divide(total - won - turned, left, out=np.full(left.shape, np.nan), where=left > 0)
    variance = (without.size - 1) * float(without.var()) if np.isfinite(without).all() else math.nan
    return Estimate(total / count, area_interval(total / count, variance, level))


def _checked(
    times: ArrayLike, scores: ArrayLike, events: ArrayLike
) -> tuple[Floats, Floats, Bools]:
    time, score, seen = (np.asarray(part, dtype=np.float64) for part in (times, scores, events))
    if time.ndim != 1 or not time.size or len({time.shape, score.shape, seen.shape}) > 1:
        raise ValueError(
            "concordance_index: times, scores and events must be as many, "
            f"got {time.shape}, {score.shape} and {seen.shape}"
        )
    if not np.isfinite([time, score]).all() or (time < 0).any() or not np.isin(seen, (0, 1)).all():
        raise ValueError(
            "concordance_index: times must be finite and not negative, scores finite and "
            "events 0 or 1"
        )
    return time, score, seen == 1


def _beaten(rank: Ranks, score: Ranks, against: Bools) -> Floats:
    """Return for each case how many of a higher rank have a lower score; equal scores count half.

    Two ranks differ first at one binary digit: digit by digit, those with a 0 meet those with a 1
    among all whose higher digits are the same.
    """
    beaten = np.zeros(rank.size)
    width = int(score.max()) + 1
    for digit in range(int(rank.max()).bit_length()):
        upper, block = (rank >> digit) & 1 == 1, (rank >> (digit + 1)) * width
        met = np.sort((block + score)[upper & against])
        lower = ~upper
        first = np.searchsorted(met, block[lower], "left")
        below, level_with = (
            np.searchsorted(met, (block + score)[lower], side) for side in ("left", "right")
        )
        beaten[lower] += (below + level_with) / 2 - first
    return beaten
