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
from mammography.functional.delong import RocAreas, area_interval, compare_areas, roc_areas
from mammography.functional.mcnemar import mcnemar
from mammography.functional.partial_area import RocRange, bootstrap_partial_area
from mammography.functional.precision_areas import Sampling, jackknife_average_precisions
from mammography.functional.precision_recall import average_precision_interval
from mammography.functional.predictive_values import predictive_values
from mammography.functional.proportions import clustered_proportion

PART, CALL = RocRange(0.8, 1.0), 0.5
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

    @property
    def share(self) -> float:
        """Share of positive images."""
        return self.positives * self.ill / ((self.positives + self.negatives) * self.images)

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
        found = [norm.sf((at - shift) / self.spread) for shift in self.shifts]
        share = self.share
        precision = [
            -np.trapezoid(share * one / (share * one + (1 - share) * false), one) for one in found
        ]
        inside = false <= 1 - PART.low
        part = -np.trapezoid(found[0][inside], false[inside])
        called = [norm.sf((CALL - shift) / self.spread) for shift in (*self.shifts, 0.0)]
        return {
            "AUC": areas[0],
            "difference of AUCs": areas[0] - areas[1],
            "average precision": precision[0],
            "difference of average precisions": precision[0] - precision[1],
            "partial AUC": float(PART.standardize(np.array(part))),
            "sensitivity": called[0],
            "difference of sensitivities": called[0] - called[1],
            "ppv": share * called[0] / (share * called[0] + (1 - share) * called[2]),
        }

    def use(self):
        """Return which intervals a study of this design should report."""
        several = self.images > 1
        rate = "Wilson, clustered" if several else "Wilson"
        fixed = "Mercaldo, clustered" if several else "Mercaldo"
        return {
            "AUC": "Obuchowski, logit" if several else "DeLong, logit",
            "difference of AUCs": "Obuchowski" if several else "DeLong",
            "average precision": "jackknife, logit",
            "difference of average precisions": "jackknife",
            "partial AUC": "bootstrap BCa",
            "sensitivity": rate,
            "difference of sensitivities": "Tango, clustered" if several else "Tango",
            "ppv": rate if self.cohort else fixed,
        }


def areas_of(found: RocAreas, name: str) -> Intervals:
    """Return the intervals of the first area and of the difference of both."""
    first = (float(found.areas[0]), float(found.covariance[0, 0]))
    return {
        ("AUC", f"{name}, plain"): area_interval(*first, scale="plain"),
        ("AUC", f"{name}, logit"): area_interval(*first),
        ("difference of AUCs", name): compare_areas(found).interval,
    }


def precisions_of(design: Design, labels, scores, patients) -> Intervals:
    """Return intervals of average precisions without resampling."""
    sampling: Sampling = "cohort" if design.cohort else "case_control"
    found = jackknife_average_precisions(labels, patients, *scores, sampling=sampling)
    area, positives = float(found.values[0]), int(labels.sum())
    return {
        ("average precision", "jackknife, logit"): found.estimates(scale="logit")[0].interval,
        ("difference of average precisions", "jackknife"): found.contrast(0, 1)
        .estimates()[0]
        .interval,
        **{
            ("average precision", f"of the positives alone, {scale}"): average_precision_interval(
                area, positives, scale=scale
            )
            for scale in ("plain", "logit")
        },
    }


def bootstrapped(design: Design, labels, scores, patients, repeats, seed) -> Intervals:
    """Return intervals of areas from resampled patients."""
    draw = partial(
        bootstrap_areas,
        labels,
        scores,
        patients,
        areas=("roc_auc", "average_precision"),
        repeats=repeats,
        seed=seed,
    )
    found, kept = draw(jackknife=True), draw(stratified=True)
    part = bootstrap_partial_area(
        labels, scores[0], patients, PART, repeats=repeats, seed=seed, jackknife=True
    )
    intervals: Intervals = {}
    for name, method, resamples in (
        ("bootstrap percentile", "percentile", found),
        ("bootstrap BCa", "bca", found),
        ("bootstrap percentile, stratified", "percentile", kept),
    ):
        for first, area in ((0, "AUC"), (2, "average precision")):
            intervals[area, name] = resamples.estimates(method=method)[first].interval
            difference = resamples.contrast(first, first + 1).estimates(method=method)
            intervals[f"difference of {area}s", name] = difference[0].interval
        if resamples is found:
            intervals["partial AUC", name] = part.estimates(method=method)[0].interval
    if design.cohort:
        return intervals
    # Where the numbers are fixed, resamples that let them vary are of another design.
    return {
        (quantity, name): ends
        for (quantity, name), ends in intervals.items()
        if "precision" not in quantity or "stratified" in name
    }


def rates_of(design: Design, labels, scores) -> Intervals:
    """Return intervals of rates at one threshold, each image a case of its own."""
    counts = confusion_at(labels, scores[0], [CALL])
    intervals: Intervals = {}
    for method in METHODS:
        rates = confusion_rates(counts, method=method)
        for name in ("sensitivity", "ppv"):
            intervals[name, METHODS[method]] = tuple(rates[name].intervals[0])
    return intervals | compared(design, labels, scores, None, "")


def clustered_rates_of(design: Design, labels, scores, patients) -> Intervals:
    """Return intervals of rates at one threshold with patients as units."""
    called, ill = scores[0] >= CALL, labels == 1
    intervals: Intervals = {}
    for name, of in (("sensitivity", ill), ("ppv", called)):
        trials = np.bincount(patients, weights=of)
        found = np.bincount(patients, weights=called & ill)
        intervals[name, "Wilson, clustered"] = clustered_proportion(found, trials).interval
    return intervals | compared(design, labels, scores, patients, ", clustered")


def compared(design: Design, labels, scores, patients, end: str) -> Intervals:
    """Return the interval of a difference, and of a predictive value at a known prevalence."""
    called, ill = scores >= CALL, labels == 1
    tested = mcnemar(*called[:, ill], None if patients is None else patients[ill])
    intervals: Intervals = {
        ("difference of sensitivities", f"Tango{end}"): tested.difference.interval
    }
    if not design.cohort:
        values = predictive_values(labels, called[0], design.share, patients)
        intervals["ppv", f"Mercaldo{end}"] = values.ppv.interval
    return intervals


def resampled_rates(design: Design, labels, scores, patients, repeats, seed) -> Intervals:
    """Return intervals of rates at one threshold from resampled patients."""
    resamples = bootstrap_rates(
        labels,
        scores[0],
        patients,
        CALL,
        rates=("sensitivity", "ppv"),
        stratified=not design.cohort,
        repeats=repeats,
        seed=seed,
    )
    name = "bootstrap percentile" if design.cohort else "bootstrap percentile, stratified"
    sensitivity, ppv = (estimate.interval for estimate in resamples.estimates())
    return {("sensitivity", name): sensitivity, ("ppv", name): ppv}


def study(design: Design, rng: np.random.Generator, repeats: int, *, rates: bool) -> Intervals:
    """Draw a study."""
    labels, scores, patients = design.draw(rng)
    seed = int(rng.integers(2**31))
    intervals = areas_of(roc_areas(labels, *scores), "DeLong")
    if design.images > 1:
        intervals |= areas_of(clustered_roc_areas(labels, patients, *scores), "Obuchowski")
    intervals |= precisions_of(design, labels, scores, patients)
    if rates:
        intervals |= rates_of(design, labels, scores)
    if rates and design.images > 1:
        intervals |= clustered_rates_of(design, labels, scores, patients)
    if rates and repeats:
        intervals |= resampled_rates(design, labels, scores, patients, repeats, seed)
    if repeats:
        intervals |= bootstrapped(design, labels, scores, patients, repeats, seed)
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
    Scenario(name, design.truths, partial(study, design, rates=rates), design.use())
    for name, (design, rates) in DESIGNS.items()
]
