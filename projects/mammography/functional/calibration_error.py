"""Expected calibration errors, each by its name: they differ threefold on the same cases."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.functional.binary_cases import Floats, binary_forecasts

Variant = Literal["binary", "top_label", "adaptive"]
Norm = Literal["l1", "l2", "max"]


def expected_calibration_error(
    labels: ArrayLike,
    probabilities: ArrayLike,
    bins: int = 15,
    variant: Variant = "binary",
    norm: Norm = "l1",
) -> float:
    """Return how far shares are from probabilities, over bins of probability.

    It grows with fewer cases and more bins, and a model that always foresees the prevalence has
    none; :func:`~mammography.functional.calibration_curve.smooth_calibration` needs no bins.

    Shapes:
        - labels, probabilities: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        probabilities: Of class 1.
        bins: Number of bins, at least 1.
        variant: ``binary`` compares the probability of class 1 with the share of class 1, in
            bins of equal width; ``top_label`` the probability of the likelier class with the
            share of cases where it is right; ``adaptive`` does the latter in bins of as many
            cases. The last two hide where rare positives are missed: at a prevalence of 1 %
            nearly all cases are confident negatives.
        norm: Mean distance (``l1``), root of its mean square (``l2``) or the largest (``max``).

    Raises:
        ValueError: If a label or probability is none, or an option is unknown.

    References:
        Naeini, Cooper and Hauskrecht, AAAI 2015 (bins); Guo et al., ICML 2017, equation 3 (top
        label); Nixon et al., CVPR Workshops 2019, section 3 (adaptive).

    Example:
        >>> labels, chances = [0, 0, 1, 1], [0.1, 0.3, 0.6, 0.8]
        >>> variants = ("binary", "top_label", "adaptive")
        >>> [round(expected_calibration_error(labels, chances, 2, v), 3) for v in variants]
        [0.25, 0.25, 0.25]
    """
    positive, chance = binary_forecasts("expected_calibration_error", labels, probabilities)
    if bins < 1 or variant not in ("binary", "top_label", "adaptive"):
        raise ValueError(
            "expected_calibration_error: bins must be at least 1 and variant 'binary', "
            f"'top_label' or 'adaptive', got {bins} and {variant!r}"
        )
    right = positive.astype(np.float64)
    if variant != "binary":
        right = ((chance > 0.5) == positive).astype(np.float64)
        chance = np.maximum(chance, 1 - chance)
    which = _of_equal_number if variant == "adaptive" else _of_equal_width
    return _distance(right, chance, which(chance, bins), norm)


def _of_equal_width(chance: Floats, bins: int) -> NDArray[np.intp]:
    return np.digitize(chance, np.linspace(0, 1, bins + 1)[1:-1]).astype(np.intp)


def _of_equal_number(chance: Floats, bins: int) -> NDArray[np.intp]:
    order = np.argsort(chance, kind="stable")
    which = np.empty(chance.size, np.intp)
    for each, part in enumerate(np.array_split(order, bins)):
        which[part] = each
    return which


def _distance(right: Floats, chance: Floats, which: NDArray[np.intp], norm: Norm) -> float:
    counts = np.bincount(which)
    some = counts > 0
    excess = np.bincount(which, weights=right - chance)[some]
    gaps = np.abs(excess) / counts[some]
    if norm == "max":
        return float(gaps.max())
    shares = counts[some] / right.size
    if norm == "l1":
        return float((shares * gaps).sum())
    if norm == "l2":
        return float(np.sqrt((shares * gaps**2).sum()))
    raise ValueError(f"expected_calibration_error: norm must be 'l1', 'l2' or 'max', got {norm!r}")
