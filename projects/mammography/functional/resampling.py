"""Patients drawn again and again: how a number varies, whatever it is."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.binary_cases import Floats, patients_of
from mammography.functional.resamples import Resamples

# How often each case counts, a row per resample, (R, N), to the numbers, (R,) or (R, K).
Statistic = Callable[[Floats], Floats]
# Cases times resamples that are held at a time: some ten megabytes per array.
_HELD = 2_000_000
# More patients than that are left out in groups: the error of the acceleration is 0.001 then.
_MOST_LEFT_OUT = 1000
_MOST_DRAWN_AGAIN = 100


def resample_patients(
    statistic: Statistic,
    patients: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    repeats: int = 2000,
    seed: int = 0,
    jackknife: bool = False,
) -> Resamples:
    """Return numbers of resampled patients.

    Patients are drawn with replacement, each with all cases: the images or breasts of one patient
    are alike, and an interval that takes them for independent is too narrow. All numbers
    see the same resamples, so that differences are paired.

    Shapes:
        - patients, strata: ``(N,)``, any names.

    Args:
        statistic: Numbers of cases that count so many times: weights ``(R, N)`` to ``(R,)`` or
            ``(R, K)``; NaN in a row where one is not defined, and the row is drawn again.
        patients: Whom each case belongs to.
        strata: Of which kind the patient of each case is: as many patients of each kind are
            drawn as there are.
        repeats: Number of resamples.
        seed: Of the resampling.
        jackknife: Whether to leave out patients as well, which
            :meth:`~mammography.functional.resamples.Resamples.bca` needs.

    Raises:
        ValueError: If a patient is of two kinds, the numbers are not defined on the study
            itself, or on hardly any resample.

    References:
        Efron and Tibshirani, An Introduction to the Bootstrap, 1993; patients as units: Rutter,
        Academic Radiology 2000;7:413.

    Example:
        >>> ages = np.array([50.0, 52.0, 60.0, 61.0, 70.0])
        >>> mean = lambda weights: weights @ ages / weights.sum(axis=1)
        >>> found = resample_patients(mean, ["a", "a", "b", "b", "c"], repeats=200)
        >>> found.estimate.tolist(), found.draws.shape, found.redrawn
        ([58.6], (200, 1), 0)
    """
    place = "resample_patients"
    member = patients_of(place, patients, np.size(np.asarray(patients)))
    kinds = _kinds(place, member, strata)
    whole = _table(statistic, np.ones((1, member.size)))
    if not np.isfinite(whole).all():
        raise ValueError(
            f"{place}: the numbers of the study itself must be defined, got {whole[0]}"
        )
    parts, count, redrawn = [], 0, 0
    for weights in _resamples(member, kinds, repeats, seed):
        rows = _table(statistic, weights[: repeats - count])
        defined = rows[np.isfinite(rows).all(axis=1)]
        redrawn += len(rows) - len(defined)
        if redrawn > _MOST_DRAWN_AGAIN * repeats:
            raise ValueError(
                f"{place}: resamples must define the numbers, got {redrawn} that do not"
            )
        parts.append(defined)
        count += len(defined)
        if count >= repeats:
            break
    influence = _influence(statistic, member, kinds) if jackknife else np.empty((0, 0))
    return Resamples(whole[0], np.concatenate(parts), redrawn, influence)


def patient_strata(labels: ArrayLike, patients: ArrayLike) -> NDArray[np.bool_]:
    """Return for each case whether its patient has a positive one, ``(N,)``.

    Example:
        >>> patient_strata([0, 1, 0], ["a", "a", "b"]).tolist()
        [True, True, False]
    """
    positive = np.asarray(labels) == 1
    member = patients_of("patient_strata", patients, positive.size)
    return np.bincount(member, weights=positive)[member] > 0


def _table(statistic: Statistic, weights: Floats) -> Floats:
    return np.asarray(statistic(weights), dtype=np.float64).reshape(len(weights), -1)


def _kinds(
    place: str, member: NDArray[np.intp], strata: ArrayLike | None
) -> list[NDArray[np.intp]]:
    """Return the patients of each kind."""
    count = int(member.max()) + 1
    if strata is None:
        return [np.arange(count)]
    _, code = np.unique(np.asarray(strata), return_inverse=True)
    if code.shape != member.shape:
        raise ValueError(f"{place}: strata must be one per case, got {code.shape}")
    kind = np.empty(count, np.intp)
    kind[member] = code
    if (kind[member] != code).any():
        raise ValueError(f"{place}: a patient must be of one stratum, got one of several")
    return [np.flatnonzero(kind == each) for each in range(int(code.max()) + 1)]


def _resamples(
    member: NDArray[np.intp], kinds: list[NDArray[np.intp]], repeats: int, seed: int
) -> Iterator[Floats]:
    """Yield how often each case counts, some resamples at a time, without end."""
    rng = np.random.default_rng(seed)
    rows = max(1, min(repeats, _HELD // len(member)))
    count = int(member.max()) + 1
    while True:
        times = np.zeros((rows, count))
        for kind in kinds:
            drawn = rng.integers(len(kind), size=(rows, len(kind)))
            drawn += len(kind) * np.arange(rows)[:, None]
            tally = np.bincount(drawn.ravel(), minlength=rows * len(kind))
            times[:, kind] = tally.reshape(rows, len(kind))
        yield times[:, member]


def _influence(
    statistic: Statistic, member: NDArray[np.intp], kinds: list[NDArray[np.intp]]
) -> Floats:
    """Return how much less the numbers are without each patient, or group of patients.

    Per kind of patients, as for a statistic of several samples (Efron, 1987).
    """
    parts = []
    for kind in kinds:
        # Patients of a group follow at equal steps, so that groups are alike in every order.
        groups = min(len(kind), _MOST_LEFT_OUT)
        group_of = np.full(int(member.max()) + 1, -1)
        group_of[kind] = np.arange(len(kind)) % groups
        of_case = group_of[member]
        step = max(1, _HELD // len(member))
        without = [
            _table(statistic, (of_case != np.arange(at, min(at + step, groups))[:, None]) * 1.0)
            for at in range(0, groups, step)
        ]
        left = np.concatenate(without)
        left = left[np.isfinite(left).all(axis=1)]
        if len(left) > 1:
            parts.append((len(left) - 1) / len(left) * (left.mean(axis=0) - left))
    return np.concatenate(parts)
