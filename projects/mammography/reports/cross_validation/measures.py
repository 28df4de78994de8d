"""Areas of out-of-fold scores: over all patients, and fold by fold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

import numpy as np

from mammography.functional.bootstrap import (
    FEWEST_OF_A_CLASS,
    patient_bootstrap,
    percentile_interval,
)
from mammography.functional.curve_areas import curve_areas
from mammography.reports.cases import Cases

Interval = tuple[float, float]
AREAS = ("roc_auc", "average_precision")


@dataclass(frozen=True)
class Measured:
    """Areas of some cases.

    Attributes:
        n: Number of cases.
        positives: Those of class 1.
        patients: Whom they belong to, counted.
        areas: ``roc_auc`` and ``average_precision``; NaN where a class is absent.
        intervals: The same, 95 % from resampled patients; absent with fewer than ten of a class.
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


def measure_folds(
    cases: Cases, fold_of: Mapping[str, int], repeats: int = 2000, seed: int = 0
) -> CrossValidated:
    """Measure cases over all folds and in each.

    Args:
        cases: With out-of-fold scores.
        fold_of: Patient to outer fold.
        repeats: Resamples of patients.
        seed: Of the resampling.
    """
    folds = np.array([fold_of[str(patient)] for patient in cases.patients])
    parts = [folds == fold for fold in sorted(set(fold_of.values()))]
    return CrossValidated(
        measure(cases, np.ones(len(folds), bool), repeats, seed),
        tuple(measure(cases, part, repeats, seed) for part in parts),
    )


def measure(
    cases: Cases, kept: np.ndarray[tuple[int], np.dtype[np.bool_]], repeats: int, seed: int
) -> Measured:
    """Measure some cases.

    Shapes:
        kept: ``(N,)``, which of them.

    Args:
        cases: All.
        kept: Which of them.
        repeats: Resamples of patients; 0 gives no interval.
        seed: Of the resampling.
    """
    labels, scores, patients = cases.labels[kept], cases.scores[kept], cases.patients[kept]
    positives = int(labels.sum())
    areas = dict.fromkeys(AREAS, math.nan)
    if 0 < positives < len(labels):
        found = curve_areas(labels, scores)
        areas = {name: found[name] for name in AREAS}
    intervals = {}
    if repeats and min(positives, len(labels) - positives) >= FEWEST_OF_A_CLASS:
        draws = patient_bootstrap(labels, scores, patients, areas=AREAS, repeats=repeats, seed=seed)
        intervals = {name: percentile_interval(values[:, 0]) for name, values in draws.items()}
    return Measured(len(labels), positives, len(np.unique(patients)), areas, intervals)
