"""How ROC-AUCs will vary, before there are data."""

import math
from typing import Literal, get_args

import numpy as np
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from mammography.functional.delong import RocAreas

Kind = Literal["continuous", "ratings"]
KINDS: tuple[Kind, ...] = get_args(Kind)


def planned_variance(
    area: float, positives: float, negatives: float, kind: Kind = "continuous"
) -> float:
    """Return the variance of a ROC-AUC before there are data, for many cases with normal scores.

    Args:
        area: The ROC-AUC.
        positives: Cases of class 1.
        negatives: Cases of class 0.
        kind: Of scores: ``continuous`` as of a network, of which the variance of the Mann-Whitney
            statistic is known; ``ratings`` in a few classes as of a reader, which is what pROC
            plans for: as many cases at 0.6, and 1.7 times as many at 0.9.

    Raises:
        ValueError: If the area is not between 0 and 1, or there are no cases.

    References:
        Continuous: Hanley and McNeil, Radiology 1982;143:29, equation 1, with both probabilities of
        normal scores. Ratings: Obuchowski, Lieber and Wians, Clinical Chemistry 2004;50:1118,
        equation 3.

    Example:
        >>> [round(planned_variance(0.8, 50, 50, kind) ** 0.5, 4) for kind in KINDS]
        [0.0434, 0.0489]
    """
    if not 0 < area < 1 or min(positives, negatives) <= 0:
        raise ValueError(
            "planned_variance: area must lie between 0 and 1 and both classes have cases, "
            f"got {area}, {positives} and {negatives}"
        )
    if kind == "continuous":
        # Chance that two positive cases both have higher scores than a negative one.
        both = multivariate_normal.cdf([ndtri(area)] * 2, cov=[[1, 0.5], [0.5, 1]])
        return float(both - area**2) * (1 / positives + 1 / negatives)
    if kind == "ratings":
        # 1.414 for the root of two, as published: other programs give the same numbers.
        a = 1.414 * float(ndtri(area))
        factor = 0.0099 * math.exp(-(a**2) / 2)
        return factor * ((5 * a**2 + 8) / positives + (a**2 + 8) / negatives)
    raise ValueError(f"planned_variance: kind must be one of {', '.join(KINDS)}, got {kind!r}")


def planned_areas(
    first: float,
    second: float,
    correlation: float,
    positives: float,
    negatives: float,
    kind: Kind = "continuous",
) -> RocAreas:
    """Return two ROC-AUCs on the same cases before there are data.

    Args:
        first: Area of the model there is.
        second: Area that the other is hoped to have.
        correlation: Of the two areas over studies, -1 to 1; often 0.3 to 0.7 of models on the same
            images. 0 for two studies of the size.
        positives: Cases of class 1.
        negatives: Cases of class 0.
        kind: Of scores, as for :func:`planned_variance`.

    Raises:
        ValueError: As :func:`planned_variance`, or if the correlation is none.

    Example:
        >>> planned_areas(0.75, 0.8, 0.5, 100, 100).covariance.round(5).tolist()
        [[0.00116, 0.00052], [0.00052, 0.00094]]
    """
    if not -1 <= correlation <= 1:
        raise ValueError(f"planned_areas: correlation must lie in [-1, 1], got {correlation}")
    variances = [planned_variance(a, positives, negatives, kind) for a in (first, second)]
    errors = np.sqrt(variances)
    shared = np.array([[1, correlation], [correlation, 1]])
    return RocAreas(np.array([first, second]), np.outer(errors, errors) * shared)
