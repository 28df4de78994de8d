"""Whether a map or its peaks point at the lesions that are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.windows import Box, WindowGrid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Marks:
    """What was marked on one image, and which lesions each mark hits.

    Attributes:
        scores: ``(D,)``, how suspicious each mark is.
        hits: ``(D, L)``, whether mark ``d`` lies in lesion ``l``.
    """

    scores: Floats
    hits: NDArray[np.bool_]

    def __post_init__(self) -> None:  # noqa: D105
        if self.hits.ndim != 2 or self.scores.shape != self.hits.shape[:1]:
            raise ValueError(
                "Marks: scores must be (D,) and hits (D, L), "
                f"got {self.scores.shape} and {self.hits.shape}"
            )
        if not np.isfinite(self.scores).all():
            raise ValueError("Marks: scores must be finite numbers")

    @property
    def lesion_scores(self) -> Floats:
        """The highest score of a mark in each lesion, ``(L,)``; minus infinity without one."""
        scores = np.where(self.hits, self.scores[:, None], -np.inf)
        return np.asarray(scores.max(axis=0, initial=-np.inf), float)

    @property
    def false_scores(self) -> Floats:
        """The scores of the marks in no lesion."""
        return self.scores[~self.hits.any(axis=1)]


@dataclass(frozen=True)
class FrocCurve:
    """Free-response ROC: lesions found against false marks per image.

    Attributes:
        thresholds: ``(T,)``, falling; a mark counts from its threshold on.
        sensitivity: ``(T,)``, share of the lesions that are found.
        false_positives: ``(T,)``, false marks per image.
        lesions: How many there are.
        images: How many images the false marks are counted on.
    """

    thresholds: Floats
    sensitivity: Floats
    false_positives: Floats
    lesions: int
    images: int

    def sensitivity_at(self, false_positives: float) -> float:
        """Return the best sensitivity that some threshold reaches with so few false marks.

        Nothing is interpolated; without a mark it is 0.
        """
        allowed = self.false_positives <= false_positives
        return float(self.sensitivity[allowed].max(initial=0.0))


def froc(images: Sequence[Marks], *, on: str = "all") -> FrocCurve:
    """Return the FROC curve of a set of images.

    A lesion is found when a mark from the threshold on lies in it, and counts once. Further
    marks in a lesion are neither found nor false. A mark in no lesion is false. A mark
    in two lesions finds both.

    Args:
        images: Marks and lesions of each image, images without either included.
        on: Which images false marks are counted on and divided by: ``all``, or
            ``normal``, those without a lesion.

    Raises:
        ValueError: If there is no lesion, no image to count on, or ``on`` is unknown.

    References:
        Bunch et al. 1977, Proc. SPIE 127:124; false marks on normal images:
        Chakraborty and Winter 1990, Radiology 174:873.

    Example:
        >>> one = Marks(np.array([0.9, 0.8, 0.3]), np.array([[True], [True], [False]]))
        >>> normal = Marks(np.array([0.5]), np.empty((1, 0), bool))
        >>> curve = froc([one, normal])
        >>> curve.sensitivity.tolist(), curve.false_positives.tolist()
        ([1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.5, 1.0])
    """
    if on not in ("all", "normal"):
        raise ValueError(f"froc: on must be 'all' or 'normal', got {on!r}")
    counted = [marks for marks in images if on == "all" or marks.hits.shape[1] == 0]
    # A lesion is found from the highest mark in it on.
    found = np.concatenate([marks.lesion_scores for marks in images] or [np.empty(0)])
    false = np.concatenate([marks.false_scores for marks in counted] or [np.empty(0)])
    if not len(found) or not counted:
        raise ValueError(
            f"froc: there must be lesions, and images to count false marks on ({on}), "
            f"got {len(found)} and {len(counted)}"
        )
    thresholds = np.unique(np.concatenate([m.scores for m in images]))[::-1]
    return FrocCurve(
        thresholds,
        (found[:, None] >= thresholds).sum(axis=0) / len(found),
        (false[:, None] >= thresholds).sum(axis=0) / len(counted),
        len(found),
        len(counted),
    )


def find_peaks(heat: ArrayLike, radius: float, lowest: float = 0.0) -> NDArray[np.int64]:
    """Return the peaks of a map, highest first, none near a higher one.

    The highest place is a peak; those within ``radius`` of it are none; and so on
    (non-maximum suppression). Of equal places the first in reading order wins.

    Shapes:
        heat ``(H, W)``; returns ``(P, 2)``: row and column.

    Args:
        heat: The map.
        radius: In places, >= 0.
        lowest: Peaks must be above it.

    Example:
        >>> find_peaks([[0, 9, 8], [0, 0, 0], [7, 0, 3]], radius=1.5).tolist()
        [[0, 1], [2, 0], [2, 2]]
    """
    values = np.array(heat, float)
    rows, columns = np.indices(values.shape)
    peaks = []
    while values.size and values.max() > lowest:
        row, column = np.unravel_index(values.argmax(), values.shape)
        peaks.append((int(row), int(column)))
        values[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = -np.inf
    return np.array(peaks, np.int64).reshape(-1, 2)


def points_in_boxes(points: ArrayLike, boxes: ArrayLike) -> NDArray[np.bool_]:
    """Return which points lie in which boxes, edges included.

    Shapes:
        points ``(P, 2)`` as ``(x, y)``; boxes ``(B, 4)`` as left, top, right, bottom;
        returns ``(P, B)``.
    """
    xy = np.asarray(points, float).reshape(-1, 1, 2)
    corners = np.asarray(boxes, float).reshape(1, -1, 4)
    inside = (xy >= corners[..., :2]) & (xy <= corners[..., 2:])
    return np.asarray(inside.all(axis=-1))


def mark_peaks(heat: NDArray[Any], grid: WindowGrid, boxes: Sequence[Box], radius: float) -> Marks:
    """Return the peaks of a map as marks at the centres of their windows.

    A mark hits a lesion when the centre lies in its box.

    Shapes:
        heat: That of the grid.

    Args:
        heat: Scores of the windows.
        grid: Where they lie.
        boxes: Of the lesions, in pixels of the image.
        radius: Of the non-maximum suppression, in pixels.

    Example:
        >>> grid = WindowGrid((32, 64), window=32, stride=16)
        >>> heat = np.zeros(grid.shape)
        >>> heat[1, 3], heat[0, 0] = 0.9, 0.2
        >>> marks = mark_peaks(heat, grid, [(40, 10, 60, 20)], radius=16)
        >>> marks.scores.tolist(), marks.hits.tolist()
        ([0.9, 0.2], [[True], [False]])
    """
    peaks = find_peaks(heat, radius / grid.stride)
    rows, columns = peaks.T
    points = np.stack([grid.centres(1)[columns], grid.centres(0)[rows]], axis=1)
    return Marks(np.asarray(heat[rows, columns], float), points_in_boxes(points, boxes))


def pointing_game(images: Sequence[Marks]) -> float:
    """Return the share of images with lesions whose highest mark hits one.

    Of equal marks the first counts. An image without a mark is a miss; images without
    a lesion are left out.

    Raises:
        ValueError: If no image has a lesion.

    References:
        Zhang et al. 2018, International Journal of Computer Vision 126:1084.

    Example:
        >>> hit = Marks(np.array([0.2, 0.9]), np.array([[False], [True]]))
        >>> miss = Marks(np.array([0.2]), np.array([[False]]))
        >>> pointing_game([hit, miss])
        0.5
    """
    ill = [marks for marks in images if marks.hits.shape[1]]
    if not ill:
        raise ValueError("pointing_game: an image must have a lesion, got none that has")
    hits = [len(m.scores) and bool(m.hits[m.scores.argmax()].any()) for m in ill]
    return float(np.mean(hits))


def mask_iou(found: ArrayLike, truth: ArrayLike) -> float:
    """Return the intersection of two masks over their union; NaN if both are empty.

    Shapes:
        found, truth: the same, booleans.

    Example:
        >>> round(mask_iou([True, True, False], [False, True, True]), 3)
        0.333
    """
    first, second = np.asarray(found, bool), np.asarray(truth, bool)
    if first.shape != second.shape:
        raise ValueError(
            f"mask_iou: masks must be of one shape, got {first.shape} and {second.shape}"
        )
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else float("nan")


def box_iou(found: ArrayLike, truth: ArrayLike) -> Floats:
    """Return the intersection over union of each pair of boxes.

    Shapes:
        found ``(A, 4)``, truth ``(B, 4)`` as left, top, right, bottom; returns ``(A, B)``.

    Example:
        >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(3).tolist()
        [[0.333, 0.0]]
    """
    first = np.asarray(found, float).reshape(-1, 1, 4)
    second = np.asarray(truth, float).reshape(1, -1, 4)
    sides = np.minimum(first[..., 2:], second[..., 2:]) - np.maximum(
        first[..., :2], second[..., :2]
    )
    shared = sides.clip(min=0).prod(axis=-1)
    areas = [(b[..., 2:] - b[..., :2]).prod(axis=-1) for b in (first, second)]
    union = areas[0] + areas[1] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))
