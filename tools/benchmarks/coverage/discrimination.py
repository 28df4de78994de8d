"""Studies of areas and rates: binormal scores, of independent images and of several a patient."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.stats import norm
from tools.benchmarks.coverage.scenario import Intervals, Scenario

from mammography.functional.bootstrap import bootstrap_areas
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.confusion import bootstrap_rates, confusion_at, confusion_rates
from mammography.functional.curve_areas import curve_areas
from mammography.functional.delong import RocAreas, area_interval, compare_areas, roc_areas
from mammography.functional.partial_area import RocRange, bootstrap_partial_area
from mammography.functional.precision_recall import average_precision_interval
from mammography.functional.proportions import clustered_proportion

PART = RocRange(0.8, 1.0)
METHODS = {"wilson": "Wilson", "clopper_pearson": "Clopper-Pearson"}


@dataclass(frozen=True)
class Design:
    """Two scores of images, normal in both classes.

    Attributes:
        positives: Patients with a positive image.
        negatives: Patients without.
        images: Of each patient.
        ill: Of these, how many are positive in a patient who has one.
        luck: Standard deviation of what all images of a patient share, beside 1 of each image.
        shifts: By how many standard deviations of an image positive ones score higher, for both.
        shared: Of what each image has, the share that both scores see.
        cohort: Whether the number of patients with a positive image is left to chance, as where
            a study takes whoever comes, and not fixed.
    """

    positives: int
    negatives: int
    images: int = 1
    ill: int = 1
    luck: float = 0.0
    shifts: tuple[float, float] = (1.0, 1.3)
    shared: float = 0.5
    cohort: bool = False

    @property
    def spread(self) -> float:
        """Standard deviation of a score within a class."""
        return math.sqrt(1 + self.luck**2)

    def draw(self, rng):
        """Return labels, both scores ``(2, N)`` and patients."""
        count = self.positives + self.negatives
        patients = np.repeat(np.arange(count), self.images)
        which = np.tile(np.arange(self.images), count)
        ill = np.arange(count) < self.positives
        if self.cohort:
            ill = rng.random(count) < self.positives / count
        labels = (ill[patients] & (which < self.ill)).astype(int)
        noise = rng.normal(size=(3, labels.size))
        own = math.sqrt(self.shared) * noise[0] + math.sqrt(1 - self.shared) * noise[1:]
        luck = self.luck * rng.normal(size=count)[patients]
        return labels, np.array(self.shifts)[:, None] * labels + own + luck, patients

    def truths(self):
        """Return the values that infinitely many patients have."""
        areas = [norm.cdf(shift / (self.spread * math.sqrt(2))) for shift in self.shifts]
        at = np.linspace(-12, 16, 400_001) * self.spread
        false = norm.sf(at / self.spread)
        found = norm.sf((at - self.shifts[0]) / self.spread)
        share = self.positives * self.ill / ((self.positives + self.negatives) * self.images)
        precision = share * found / (share * found + (1 - share) * false)
        inside = false <= 1 - PART.low
        part = -np.trapezoid(found[inside], false[inside])
        call = (norm.sf((0.5 - self.shifts[0]) / self.spread), norm.sf(0.5 / self.spread))
        return {
            "AUC": areas[0],
            "difference of AUCs": areas[0] - areas[1],
            "average precision": -np.trapezoid(precision, found),
            "partial AUC": float(PART.standardize(np.array(part))),
            "sensitivity": call[0],
            "ppv": share * call[0] / (share * call[0] + (1 - share) * call[1]),
        }


def areas_of(found: RocAreas, name: str) -> Intervals:
    """Return the intervals of the first area and of the difference of both."""
    first = (float(found.areas[0]), float(found.covariance[0, 0]))
    return {
        ("AUC", f"{name}, plain"): area_interval(*first, scale="plain"),
        ("AUC", f"{name}, logit"): area_interval(*first),
        ("difference of AUCs", name): compare_areas(found).interval,
    }


def bootstrapped(labels, scores, patients, repeats, seed) -> Intervals:
    """Return intervals of areas from resampled patients."""
    draw = partial(bootstrap_areas, labels, scores, patients, repeats=repeats, seed=seed)
    found, kept = draw(jackknife=True), draw(stratified=True)
    intervals: Intervals = {}
    for name, method, resamples in (
        ("bootstrap percentile", "percentile", found),
        ("bootstrap BCa", "bca", found),
        ("bootstrap percentile, stratified", "percentile", kept),
    ):
        intervals["AUC", name] = resamples.estimates(method=method)[0].interval
        difference = resamples.contrast(0, 1).estimates(method=method)
        intervals["difference of AUCs", name] = difference[0].interval
    return intervals


def precision_of(labels, score, patients, repeats, seed) -> Intervals:
    """Return intervals of the average precision and of the partial area."""
    found = bootstrap_areas(
        labels,
        score,
        patients,
        areas=("average_precision",),
        repeats=repeats,
        seed=seed,
        jackknife=True,
    )
    part = bootstrap_partial_area(
        labels, score, patients, PART, repeats=repeats, seed=seed, jackknife=True
    )
    intervals: Intervals = {}
    for quantity, resamples in (("average precision", found), ("partial AUC", part)):
        for name, method in (("percentile", "percentile"), ("BCa", "bca")):
            only = resamples.estimates(method=method)[0].interval
            intervals[quantity, f"bootstrap {name}"] = only
    return intervals


def rates_of(labels, score, patients, repeats, seed) -> Intervals:
    """Return intervals of rates with a threshold of one half."""
    counts = confusion_at(labels, score, [0.5])
    intervals: Intervals = {}
    for method in METHODS:
        rates = confusion_rates(counts, method=method)
        for name in ("sensitivity", "ppv"):
            intervals[name, METHODS[method]] = tuple(rates[name].intervals[0])
    called, ill = score >= 0.5, labels == 1
    for name, of in (("sensitivity", ill), ("ppv", called)):
        trials = np.bincount(patients, weights=of)
        found = np.bincount(patients, weights=of & called & ill)
        intervals[name, "Wilson, clustered"] = clustered_proportion(found, trials).interval
    if not repeats:
        return intervals
    resamples = bootstrap_rates(
        labels, score, patients, 0.5, rates=("sensitivity", "ppv"), repeats=repeats, seed=seed
    )
    for name, estimate in zip(("sensitivity", "ppv"), resamples.estimates(), strict=True):
        intervals[name, "bootstrap percentile"] = estimate.interval
    return intervals


def study(design: Design, rng: np.random.Generator, repeats: int, *, more: bool) -> Intervals:
    """Draw a study; with more, average precision, partial area and rates as well."""
    labels, scores, patients = design.draw(rng)
    seed = int(rng.integers(2**31))
    intervals = areas_of(roc_areas(labels, *scores), "DeLong")
    if design.images > 1:
        intervals |= areas_of(clustered_roc_areas(labels, patients, *scores), "Obuchowski")
    if more:
        area = curve_areas(labels, scores[0])["average_precision"]
        for scale in ("plain", "logit"):
            name = f"of the positives alone, {scale}"
            only = average_precision_interval(area, int(labels.sum()), scale=scale)
            intervals["average precision", name] = only
        intervals |= rates_of(labels, scores[0], patients, repeats, seed)
    if repeats:
        intervals |= bootstrapped(labels, scores, patients, repeats, seed)
    if repeats and more:
        intervals |= precision_of(labels, scores[0], patients, repeats, seed)
    return intervals


DESIGNS = {
    "50 + 150 images, one a patient": (Design(50, 150), True),
    "a cohort of 200 images, a quarter ill": (Design(50, 150, cohort=True), True),
    "a cohort of 100 patients of 4 alike images": (Design(40, 60, 4, 4, 1.5, cohort=True), True),
    "15 + 45 images, one a patient": (Design(15, 45), True),
    "15 + 45 images, AUC 0.95": (Design(15, 45, shifts=(2.326, 2.0)), False),
    "40 + 60 patients of 4 alike images": (Design(40, 60, 4, 4, 1.5, (1.2, 1.5)), True),
    "40 + 60 patients of 4, 2 of them ill": (Design(40, 60, 4, 2, 1.5, (1.2, 1.5)), True),
    "15 + 25 patients of 4 alike images": (Design(15, 25, 4, 4, 1.5, (1.2, 1.5)), True),
}
SCENARIOS = [
    Scenario(name, design.truths, partial(study, design, more=more))
    for name, (design, more) in DESIGNS.items()
]
