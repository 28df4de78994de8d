"""ROC-AUC and average precision of scores of the same cases, with the intervals to report."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import binary_cases, patients_of
from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.curve_areas import curve_areas
from mammography.functional.delong import RocAreas, area_interval
from mammography.functional.estimate import Estimate
from mammography.functional.jackknife import Jackknife
from mammography.functional.precision_areas import Sampling, jackknife_average_precisions


@dataclass(frozen=True, eq=False)
class AreaEstimates:
    """Areas of K scores.

    Attributes:
        roc: ROC-AUC of each score; NaN where a class is absent.
        precision: Average precision of each score, likewise.
        roc_areas: ROC-AUCs and how they vary together; None where the cases are too few.
        precisions: Average precisions without each patient; None where the cases are too few.
    """

    roc: tuple[Estimate, ...]
    precision: tuple[Estimate, ...]
    roc_areas: RocAreas | None = None
    precisions: Jackknife | None = None


def estimate_areas(
    labels: ArrayLike,
    patients: ArrayLike,
    *scores: ArrayLike,
    sampling: Sampling = "cohort",
    level: float = 0.95,
) -> AreaEstimates:
    """Return both areas of each score with intervals on the scale of log odds.

    Of the ROC-AUC by the variance of Obuchowski, which is DeLong's where each patient has one
    case; of the average precision by the jackknife of patients. Over simulated studies these hold
    the truth as often as they say, where percentiles of resampled patients are too narrow for
    few cases and near 1 (``tools/benchmarks/COVERAGE.md``).

    Shapes:
        - labels, patients and each of scores: ``(N,)``; labels are 0 or 1.

    Args:
        labels: What was true.
        patients: Whom each case belongs to.
        *scores: Higher for class 1, one or more of the same cases.
        sampling: ``cohort``, or ``case_control`` where the study fixed how many positive and
            negative patients it took.
        level: Coverage of the intervals.

    Returns:
        No intervals where a class has fewer than ten cases, or is found in a single patient; NaN
        as an interval where all cases are in order, which tells nothing.

    Raises:
        ValueError: If a label or score is no number it can be, or a study of cases and controls
            has fewer than two patients without a positive case.

    References:
        Obuchowski, Biometrics 1997;53:567; Pepe, The Statistical Evaluation of Medical Tests,
        2003, section 5.2 (log odds); the jackknife: :mod:`mammography.functional.jackknife`.

    Example:
        >>> labels, scores = [0, 1] * 20, [0.1, 0.4, 0.5, 0.6, 0.3, 0.35, 0.2, 0.8] * 5
        >>> found = estimate_areas(labels, range(40), scores)
        >>> found.roc[0].value, [round(end, 2) for end in found.roc[0].interval]
        (0.875, [0.71, 0.95])
    """
    place = "estimate_areas"
    positive, table = binary_cases(place, labels, scores)
    member = patients_of(place, patients, positive.size)
    cases = min(int(positive.sum()), int((~positive).sum()))
    patients_of_a_class = min(np.unique(member[side]).size for side in (positive, ~positive))
    if cases < FEWEST_OF_A_CLASS or patients_of_a_class < 2:
        areas = [curve_areas(positive, one) for one in table]
        return AreaEstimates(
            tuple(Estimate(area["roc_auc"]) for area in areas),
            tuple(Estimate(area["average_precision"]) for area in areas),
        )
    found = clustered_roc_areas(positive, member, *table)
    precisions = jackknife_average_precisions(positive, member, *table, sampling=sampling)
    roc = tuple(
        Estimate(float(area), area_interval(float(area), float(variance), level))
        for area, variance in zip(found.areas, found.covariance.diagonal(), strict=True)
    )
    return AreaEstimates(roc, tuple(precisions.estimates(level, "logit")), found, precisions)
