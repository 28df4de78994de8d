"""Nested folds of patients with the same share of each class in all."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import StratifiedKFold

NEVER = -1
# Without inner folds, one of so many parts of what is not tested validates.
VALIDATION_PARTS = 5

Folds = NDArray[np.intp]


def nested_folds(labels: ArrayLike, outer: int, inner: int, seed: int = 0) -> tuple[Folds, Folds]:
    """Divide patients into outer folds, and those outside of each into inner folds.

    One row is one patient, so no patient can be in two folds, and the patients of each class
    are as many in every fold, to one; so are those without a label.

    Shapes:
        labels: ``(N,)``, 0 or 1, NaN where there is none; the outer folds ``(N,)``, the inner
        ones ``(outer, N)``, :data:`NEVER` for patients of the outer fold, and for those
        that only train.

    Args:
        labels: Of the patients, in an order that does not depend on chance.
        outer: Number of outer folds, at least 2.
        inner: Number of inner folds. Below 2 there is one, a fifth of the patients, and the others
            only train.
        seed: Another seed draws other folds.

    Raises:
        ValueError: If a label is no 0 or 1, or a class has too few patients for one in each fold.

    References:
        Varma and Simon, BMC Bioinformatics 2006;7:91 (nested cross-validation).

    Example:
        >>> tested, validated = nested_folds([0, 1] * 6, outer=3, inner=2)
        >>> np.bincount(tested).tolist(), np.bincount(validated[0] + 1).tolist()
        ([4, 4, 4], [4, 4, 4])
    """
    truth = np.asarray(labels, dtype=np.float64)
    if outer < 2 or inner < 0:
        raise ValueError(f"nested_folds: outer must be >= 2 and inner >= 0, got {outer}, {inner}")
    if not np.isin(truth[~np.isnan(truth)], (0, 1)).all():
        raise ValueError("nested_folds: labels must be 0, 1 or missing")
    tested = _divide(truth, outer, seed, f"{outer} outer folds")
    validated = np.full((outer, len(truth)), NEVER, dtype=np.intp)
    parts = inner if inner > 1 else VALIDATION_PARTS
    for fold in range(outer):
        rest = np.flatnonzero(tested != fold)
        what = f"{parts} {'inner folds' if inner > 1 else 'parts'} outside of each outer fold"
        found = _divide(truth[rest], parts, seed + 1 + fold, what)
        validated[fold, rest] = found if inner > 1 else np.where(found == 0, 0, NEVER)
    return tested, validated


def _divide(truth: NDArray[np.float64], parts: int, seed: int, what: str) -> Folds:
    positive, negative = int((truth == 1).sum()), int((truth == 0).sum())
    if min(positive, negative) < parts:
        raise ValueError(
            f"nested_folds: both classes must have a labelled patient in each of {what}, "
            f"got {positive} positive and {negative} negative patients: choose fewer folds"
        )
    labelled, others = np.flatnonzero(~np.isnan(truth)), np.flatnonzero(np.isnan(truth))
    folds = np.empty(len(truth), dtype=np.intp)
    splitter = StratifiedKFold(parts, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(splitter.split(labelled, truth[labelled])):
        folds[labelled[held_out]] = number
    folds[np.random.default_rng(seed).permutation(others)] = np.arange(len(others)) % parts
    return folds
