"""From images to breasts, exams and patients: scores are pooled, labels joined."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.terms import Level

Floats = NDArray[np.float64]
Pooling = Literal["mean", "max", "noisy_or"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
# What the images of one case have in common.
NAMES_OF_LEVEL = {
    Level.IMAGE: ("img_path",),
    Level.BREAST: ("patient_id", "exam_id", "laterality"),
    Level.EXAM: ("patient_id", "exam_id"),
    Level.PATIENT: ("patient_id",),
}


def levels_from(rows: Level) -> tuple[Level, ...]:
    """Return the levels that scores of a level can be pooled to, from small to large.

    Args:
        rows: What one score is of.

    Example:
        >>> [str(level) for level in levels_from(Level.EXAM)]
        ['exam', 'patient']
    """
    order = list(Level)
    return tuple(one for one in NAMES_OF_LEVEL if order.index(one) >= order.index(rows))


@dataclass(frozen=True, eq=False)
class Groups:
    """Which images belong together; the groups are sorted by their names.

    Attributes:
        order: Images, those of a group side by side, ``(N,)``.
        starts: Where each group begins in ``order``, ``(G,)``.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    @property
    def first(self) -> NDArray[np.intp]:
        """One image of each group, ``(G,)``."""
        return self.order[self.starts]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Number of images of each group, ``(G,)``."""
        return np.diff(np.append(self.starts, len(self.order)))


def group_by(*names: ArrayLike) -> Groups:
    """Put images together that share all of their names.

    Shapes:
        Each of names: ``(N,)``, N > 0.

    Raises:
        ValueError: If there is no image, or not a name for each.

    Example:
        >>> breasts = group_by(["p1", "p1", "p2", "p1"], ["L", "R", "L", "L"])
        >>> breasts.sizes.tolist(), breasts.first.tolist()
        ([2, 1, 1], [0, 1, 2])
    """
    columns = [np.asarray(column) for column in names]
    if not columns or not columns[0].size or len({column.shape for column in columns}) > 1:
        shapes = ", ".join(str(column.shape) for column in columns)
        raise ValueError(f"group_by: names must be as many as images, got {shapes or 'none'}")
    group = np.zeros(columns[0].size, np.intp)
    for column in columns:
        _, code = np.unique(column, return_inverse=True)
        _, group = np.unique(group * (code.max() + 1) + code, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return Groups(order, starts)


def pool_scores(scores: ArrayLike, groups: Groups, pooling: Pooling = "mean") -> Floats:
    """Return one score per group.

    Shapes:
        scores: ``(N,)``, or ``(N, K)`` of K classes; the result ``(G,)`` or ``(G, K)``.

    Args:
        scores: Of the images; every image counts, labelled or not.
        groups: Which images belong together.
        pooling: ``mean``, as published for the views of a breast; ``max``, which rises
            with the number of images; ``noisy_or``: one minus the product of the chances that each
            image is of class 0, as if they were independent.

    Raises:
        ValueError: If a score is not finite, or no probability where one is needed.

    Example:
        >>> groups = group_by(["a", "a", "b"])
        >>> [pool_scores([0.2, 0.6, 0.5], groups, rule).round(2).tolist() for rule in POOLINGS]
        [[0.4, 0.5], [0.6, 0.5], [0.68, 0.5]]
    """
    table = np.asarray(scores, dtype=np.float64)
    if broken := int((~np.isfinite(table)).sum()):
        raise ValueError(f"pool_scores: scores must be finite, got {broken} that are not")
    if pooling not in POOLINGS:
        raise ValueError(
            f"pool_scores: pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}"
        )
    sides = table[groups.order]
    if pooling == "max":
        return np.asarray(np.maximum.reduceat(sides, groups.starts, axis=0))
    if pooling == "noisy_or":
        if table.ndim > 1 or table.min() < 0 or table.max() > 1:
            raise ValueError("pool_scores: noisy_or must have one probability per image")
        return np.asarray(1 - np.multiply.reduceat(1 - sides, groups.starts))
    counts = groups.sizes.reshape(-1, *[1] * (table.ndim - 1))
    return np.asarray(np.add.reduceat(sides, groups.starts, axis=0) / counts)


def pool_labels(labels: ArrayLike, groups: Groups) -> Floats:
    """Return one label per group: the highest of its images, which for 0 and 1 is their OR.

    Shapes:
        labels: ``(N,)``, NaN where one is missing; the result ``(G,)``, NaN where all are.

    Example:
        >>> nan = float("nan")
        >>> pool_labels([0, 1, nan, 0, nan], group_by(["a", "a", "b", "c", "c"])).tolist()
        [1.0, nan, 0.0]
    """
    column = np.asarray(labels, dtype=np.float64)
    return np.asarray(np.fmax.reduceat(column[groups.order], groups.starts))
