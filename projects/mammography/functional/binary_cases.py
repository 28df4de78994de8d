"""What every statistic of a yes-or-no outcome asks of labels, scores and patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def binary_cases(
    place: str, labels: ArrayLike, scores: ArrayLike | Sequence[ArrayLike], fewest: int = 0
) -> tuple[Bools, Floats]:
    """Return which cases are positive, and the scores as a table.

    Shapes:
        - labels: ``(N,)``, 0 or 1.
        - scores: ``(N,)``, or ``(K, N)`` of several scores of the same cases.

    Args:
        place: Who asks, for the message.
        labels: What was true.
        scores: Higher for class 1.
        fewest: Cases that each class must have.

    Returns:
        Positive or not, ``(N,)``, and scores, ``(K, N)``.

    Raises:
        ValueError: If labels and scores are not as many, a label is neither 0 nor 1, a score is
            not finite, or a class has too few cases.

    Example:
        >>> binary_cases("here", [0, 1], [0.2, 0.7])
        (array([False,  True]), array([[0.2, 0.7]]))
    """
    truth = np.asarray(labels, dtype=np.float64)
    table = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if truth.ndim != 1 or not truth.size or table.shape[1:] != truth.shape:
        raise ValueError(
            f"{place}: labels and scores must be as many, "
            f"got {truth.shape} labels and scores of {table.shape}"
        )
    if not np.isin(truth, (0, 1)).all() or not np.isfinite(table).all():
        raise ValueError(f"{place}: labels must be 0 or 1 and scores finite")
    positive = truth == 1
    if min(positive.sum(), (~positive).sum()) < fewest:
        raise ValueError(
            f"{place}: each class must have at least {fewest} cases, "
            f"got {positive.sum()} positive, {(~positive).sum()} negative"
        )
    return positive, table


def binary_forecasts(
    place: str, labels: ArrayLike, probabilities: ArrayLike
) -> tuple[Bools, Floats]:
    """Return which cases are positive, and the probabilities of that, ``(N,)`` each.

    Raises:
        ValueError: As :func:`binary_cases`, or if a probability is none.

    Example:
        >>> binary_forecasts("here", [0, 1], [0.2, 1.7])
        Traceback (most recent call last):
        ValueError: here: probabilities must lie between 0 and 1, got 1.7
    """
    positive, table = binary_cases(place, labels, probabilities)
    if len(table) != 1:
        raise ValueError(f"{place}: probabilities must be one per case, got {len(table)}")
    outside = table[0][(table[0] < 0) | (table[0] > 1)]
    if outside.size:
        raise ValueError(f"{place}: probabilities must lie between 0 and 1, got {outside[0]:g}")
    return positive, table[0]


def patients_of(place: str, patients: ArrayLike, cases: int) -> NDArray[np.intp]:
    """Return patients as numbers from 0, ``(N,)``.

    Raises:
        ValueError: If there is not one patient per case, or a name is missing.

    Example:
        >>> patients_of("here", ["p7", "p2", "p7"], 3)
        array([1, 0, 1])
    """
    names = np.asarray(patients)
    if names.shape != (cases,):
        raise ValueError(f"{place}: patients must be one per case, got {names.shape} for {cases}")
    if np.issubdtype(names.dtype, np.floating) and np.isnan(names).any():
        raise ValueError(f"{place}: patients must have names, got NaN")
    return np.unique(names, return_inverse=True)[1].astype(np.intp)
