"""Areas of out-of-fold scores: over all patients, and fold by fold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from mammography.functional.area_estimates import estimate_areas
from mammography.reports.cases import Cases

Interval = tuple[float, float]
AREAS = ("roc_auc", "average_precision")
INTERVALS = (
    "Brackets: 95 % intervals on the scale of log odds with patients as units, of ROC-AUC by the "
    "variance of Obuchowski (1997), of average precision by the jackknife."
)


@dataclass(frozen=True)
class Measured:
    """Areas of some cases.

    Attributes:
        n: Number of cases.
        positives: Those of class 1.
        patients: Whom they belong to, counted.
        areas: ``roc_auc`` and ``average_precision``; NaN where a class is absent.
        intervals: The same, 95 % with patients as units; absent with fewer than ten of a class,
            and where all cases are in order.
    """

    n: int
    positives: int
    patients: int
    areas: Mapping[str, float]
    intervals: Mapping[str, Interval]


@dataclass(frozen=True)
class CrossValidated:
    """Areas over all folds, and of each.

    Attributes:
        pooled: Of all cases, each scored by the models that did not see her. Scores of different
            models are ranked together, which a shift between the models lowers.
        folds: Of the cases of each outer fold, whose scores come from the same models.
    """

    pooled: Measured
    folds: tuple[Measured, ...]

    def mean(self, area: str) -> float:
        """Return the mean of an area over the folds where it is defined; NaN if in none."""
        values = self._defined(area)
        return fmean(values) if values else math.nan

    def spread(self, area: str) -> float:
        """Return the standard deviation of an area over the folds."""
        values = self._defined(area)
        return stdev(values) if len(values) > 1 else math.nan

    def _defined(self, area: str) -> list[float]:
        values = [fold.areas[area] for fold in self.folds]
        return [value for value in values if not math.isnan(value)]


def measure_folds(cases: Cases, fold_of: Mapping[str, int]) -> CrossValidated:
    """Measure cases over all folds and in each.

    Args:
        cases: With out-of-fold scores.
        fold_of: Patient to outer fold.
    """
    folds = np.array([fold_of[str(patient)] for patient in cases.patients])
    parts = [folds == fold for fold in sorted(set(fold_of.values()))]
    return CrossValidated(
        measure(cases, np.ones(len(folds), bool)),
        tuple(measure(cases, part) for part in parts),
    )


def measure(cases: Cases, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Measured:
    """Measure some cases.

    Shapes:
        kept: ``(N,)``, which of them.

    Args:
        cases: All.
        kept: Which of them.
    """
    labels, scores, patients = cases.labels[kept], cases.scores[kept], cases.patients[kept]
    estimates = estimate_areas(labels, patients, scores)
    found = dict(zip(AREAS, (estimates.roc[0], estimates.precision[0]), strict=True))
    return Measured(
        len(labels),
        int(labels.sum()),
        len(np.unique(patients)),
        {name: one.value for name, one in found.items()},
        {name: one.interval for name, one in found.items() if not math.isnan(one.interval[0])},
    )
