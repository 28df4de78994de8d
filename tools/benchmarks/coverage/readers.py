"""Studies of survival, of two readers, and of marks on images."""

import math
from functools import cache, partial

import numpy as np
from scipy.stats import norm
from tools.benchmarks.coverage.scenario import Intervals, Scenario

from mammography.functional.agreement import weighted_kappa
from mammography.functional.concordance import concordance_index
from mammography.functional.froc import bootstrap_froc

MANY = 400_000
FALSE_MARKS, RATE, LUCK = 2.0, 0.5, 0.5
WEIGHTS = ("none", "linear", "quadratic")
INDEPENDENT, BETWEEN = "jackknife, images", "jackknife, patients"


def survival(rng, patients):
    """Times, scores and events; some two in five are last seen well."""
    risk = rng.normal(size=patients)
    event, lost = rng.exponential(np.exp(-risk)), rng.exponential(1.5, size=patients)
    return np.minimum(event, lost), risk + rng.normal(size=patients), event <= lost


def survival_study(patients: int, rng, _repeats) -> Intervals:
    """Draw a study of survival."""
    found = concordance_index(*survival(rng, patients))
    return {("C-index", "jackknife, logit"): found.interval}


def readings(rng, patients, images=1, luck=0.0):
    """Four classes by two readers who see the same with noise, and patients.

    The images of a patient are alike, and each reader sees hers a little too light or too dark.
    """
    member = np.repeat(np.arange(patients), images)
    kept = math.sqrt(1 - luck)

    def noise():
        common = rng.normal(size=patients)[member]
        return math.sqrt(luck) * common + kept * rng.normal(size=member.size)

    seen = noise()
    return [np.digitize(seen + 0.6 * noise(), (-1, 0.3, 1.4)) for _ in range(2)], member


def reader_study(patients: int, images: int, luck: float, rng, _repeats) -> Intervals:
    """Draw a study of agreement."""
    both, member = readings(rng, patients, images, luck)
    kinds = {INDEPENDENT: None} if images == 1 else {INDEPENDENT: None, BETWEEN: member}
    return {
        (f"kappa, {weights}", name): weighted_kappa(*both, weights, patients=who).interval
        for weights in WEIGHTS
        for name, who in kinds.items()
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


@cache
def survival_truths():
    """Return the index of many patients."""
    return {"C-index": concordance_index(*survival(np.random.default_rng(3), MANY)).value}


@cache
def reader_truths():
    """Return the kappas of many images."""
    both, _ = readings(np.random.default_rng(4), 10 * MANY)
    return {f"kappa, {name}": weighted_kappa(*both, name).value for name in WEIGHTS}


def marks_truths():
    """Return the sensitivity where so many false marks per image pass."""
    threshold = norm.isf(RATE / FALSE_MARKS)
    sensitivity = 0.9 * norm.sf((threshold - 1.5) / math.sqrt(1 + LUCK**2))
    return {f"sensitivity at {RATE} false marks": sensitivity}


READERS = {
    "two readers of 150 images": (150, 1, 0.0),
    "two readers of 40 images": (40, 1, 0.0),
    "two readers of 40 patients of 4 alike images": (40, 4, 0.6),
}
SURVIVAL_USE = {"C-index": "jackknife, logit"}
SCENARIOS = [
    *(
        Scenario(f"{count} patients", survival_truths, partial(survival_study, count), SURVIVAL_USE)
        for count in (150, 40)
    ),
    *(
        Scenario(
            name,
            reader_truths,
            partial(reader_study, *kind),
            {f"kappa, {each}": INDEPENDENT if kind[1] == 1 else BETWEEN for each in WEIGHTS},
        )
        for name, kind in READERS.items()
    ),
    Scenario(
        "80 patients of 4 images, 80 lesions",
        marks_truths,
        partial(marks_study, 80),
        {f"sensitivity at {RATE} false marks": "bootstrap BCa"},
    ),
]
