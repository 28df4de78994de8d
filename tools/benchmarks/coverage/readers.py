"""Studies of survival, of two readers, and of marks on images."""

import math
from functools import partial

import numpy as np
from scipy.stats import norm
from tools.benchmarks.coverage.scenario import Intervals, Scenario

from mammography.functional.agreement import weighted_kappa
from mammography.functional.concordance import concordance_index
from mammography.functional.froc import bootstrap_froc

MANY = 400_000
FALSE_MARKS, RATE, LUCK = 2.0, 0.5, 0.5
WEIGHTS = ("none", "linear", "quadratic")


def survival(rng, patients):
    """Times, scores and events; some two in five are last seen well."""
    risk = rng.normal(size=patients)
    event, lost = rng.exponential(np.exp(-risk)), rng.exponential(1.5, size=patients)
    return np.minimum(event, lost), risk + rng.normal(size=patients), event <= lost


def survival_study(patients: int, rng, _repeats) -> Intervals:
    """Draw a study of survival."""
    found = concordance_index(*survival(rng, patients))
    return {("C-index", "jackknife, logit"): found.interval}


def readings(rng, cases):
    """Four classes by two readers who see the same with noise."""
    seen = rng.normal(size=cases)
    return [np.digitize(seen + 0.6 * rng.normal(size=cases), (-1, 0.3, 1.4)) for _ in range(2)]


def reader_study(cases: int, rng, _repeats) -> Intervals:
    """Draw a study of agreement."""
    both = readings(rng, cases)
    return {
        (f"kappa, {weights}", "Fleiss"): weighted_kappa(*both, weights).interval
        for weights in WEIGHTS
    }


def marks_study(patients: int, rng, repeats) -> Intervals:
    """Draw a study of marks: patients differ in how many false marks their images have."""
    if not repeats:
        return {}
    images = np.repeat(np.arange(patients), 4)
    has = np.arange(patients) % 2 == 0
    lesion_patients = np.repeat(np.flatnonzero(has), 2)
    luck = LUCK * rng.normal(size=patients)
    scores = 1.5 + luck[lesion_patients] + rng.normal(size=lesion_patients.size)
    scores[rng.random(scores.size) < 0.1] = -np.inf
    busy = rng.gamma(4, 1 / 4, size=patients)
    false_patients = np.repeat(images, rng.poisson(FALSE_MARKS * busy[images]))
    found = bootstrap_froc(
        scores,
        lesion_patients,
        rng.normal(size=false_patients.size),
        false_patients,
        images,
        rates=(RATE,),
        repeats=repeats,
        seed=int(rng.integers(2**31)),
        jackknife=True,
    )
    name = f"sensitivity at {RATE} false marks"
    return {
        (name, f"bootstrap {kind}"): found.estimates(method=method)[0].interval
        for kind, method in (("percentile", "percentile"), ("BCa", "bca"))
    }


def survival_truths():
    """Return the index of many patients."""
    return {"C-index": concordance_index(*survival(np.random.default_rng(3), MANY)).value}


def reader_truths():
    """Return the kappas of many images."""
    both = readings(np.random.default_rng(4), 10 * MANY)
    return {f"kappa, {name}": weighted_kappa(*both, name).value for name in WEIGHTS}


def marks_truths():
    """Return the sensitivity where so many false marks per image pass."""
    threshold = norm.isf(RATE / FALSE_MARKS)
    sensitivity = 0.9 * norm.sf((threshold - 1.5) / math.sqrt(1 + LUCK**2))
    return {f"sensitivity at {RATE} false marks": sensitivity}


SCENARIOS = [
    Scenario("150 patients", survival_truths, partial(survival_study, 150)),
    Scenario("40 patients", survival_truths, partial(survival_study, 40)),
    Scenario("two readers of 150 images", reader_truths, partial(reader_study, 150)),
    Scenario("two readers of 40 images", reader_truths, partial(reader_study, 40)),
    Scenario("80 patients of 4 images, 80 lesions", marks_truths, partial(marks_study, 80)),
]
