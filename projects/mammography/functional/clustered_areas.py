"""ROC-AUCs of images or breasts whose patients have several."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.binary_cases import Bools, Floats, binary_cases, patients_of
from mammography.functional.delong import RocAreas, shares_below


def clustered_roc_areas(labels: ArrayLike, patients: ArrayLike, *scores: ArrayLike) -> RocAreas:
    """Return the ROC-AUC of each score and their covariance between patients, in O(n log n).

    The images of one patient are alike, and may be of both classes. DeLong's variance takes each
    for a case of its own and is too small; here the patient is the unit. The areas are the
    same. With one image per patient the covariance is DeLong's.
    :func:`~mammography.functional.delong.area_interval` and
    :func:`~mammography.functional.delong.compare_areas` serve both.

    Shapes:
        - labels, patients and each of scores: ``(N,)``; labels are 0 or 1. Ties count half.

    Raises:
        ValueError: If a class is found in fewer than two patients, or a label or score is no
            number it can be.

    References:
        Obuchowski, Biometrics 1997;53:567.

    Example:
        >>> found = clustered_roc_areas([0, 1, 0, 1], ["a", "a", "b", "b"], [1, 3, 2, 4])
        >>> float(found.areas[0]), int(found.cases)
        (1.0, 2)
    """
    place = "clustered_roc_areas"
    positive, table = binary_cases(place, labels, scores, fewest=1)
    member = patients_of(place, patients, positive.size)
    areas, parts1, parts0 = _deviations(positive, table, member)
    with1, with0 = (int(np.unique(member[side]).size) for side in (positive, ~positive))
    if min(with1, with0) < 2:
        raise ValueError(
            f"{place}: each class must be found in at least 2 patients, "
            f"got {with1} with positive and {with0} with negative cases"
        )
    count = parts1.shape[1]
    between = parts1 @ parts0.T
    covariance = (
        with1 / (with1 - 1) * parts1 @ parts1.T
        + with0 / (with0 - 1) * parts0 @ parts0.T
        + count / (count - 1) * (between + between.T)
    )
    return RocAreas(areas, covariance, count)


def _deviations(
    positive: Bools, table: Floats, member: NDArray[np.intp]
) -> tuple[Floats, Floats, Floats]:
    """Return the areas, and what each patient's cases of a class add to or take from them."""
    above1, above0 = shares_below(positive, table)
    areas = above1.mean(axis=1)
    count = int(member.max()) + 1
    parts = []
    for shares, side in ((above1, positive), (above0, ~positive)):
        excess = (shares - areas[:, None]) / side.sum()
        sums = [np.bincount(member[side], weights=row, minlength=count) for row in excess]
        parts.append(np.asarray(sums, dtype=np.float64))
    return areas, parts[0], parts[1]
