"""Studies of probabilities: calibration, decision curves, and how a new model moves cases."""

from functools import cache, partial

import numpy as np
from scipy.special import expit
from scipy.stats import norm
from tools.benchmarks.coverage.scenario import Intervals, Scenario

from mammography.functional.brier import brier_score
from mammography.functional.calibration import calibration_line
from mammography.functional.decision_curve import decision_curve
from mammography.functional.mcnemar import mcnemar
from mammography.functional.reclassification import (
    discrimination_improvement,
    net_reclassification,
)

SLOPE, OFFSET, THRESHOLD = 0.7, 0.4, 0.2
MANY = 4_000_000


def forecasts(rng, patients, images, alike):
    """Labels and probabilities whose log odds are off by a slope and a shift, and patients.

    Both what is foreseen and what happens correlate between the images of a patient, so that
    each image by itself has the same calibration however alike they are.
    """
    member = np.repeat(np.arange(patients), images)

    def correlated():
        common = rng.normal(size=patients)[member]
        return np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=member.size)

    foreseen = -1.5 + 1.2 * correlated()
    happens = norm.cdf(correlated()) < expit(OFFSET + SLOPE * foreseen)
    return happens.astype(int), expit(foreseen), member


@cache
def calibration_truths():
    """Return what many images have; the slope and the intercept are planted."""
    labels, chances, _ = forecasts(np.random.default_rng(1), MANY, 1, 0.0)
    curve = decision_curve(labels, chances, [THRESHOLD])
    return {
        "calibration slope": SLOPE,
        "calibration intercept": OFFSET,
        "calibration offset": calibration_line(labels, chances).offset.value,
        "Brier score": brier_score(labels, chances).score.value,
        "net benefit at 0.2": float(curve.net_benefit[0, 0]),
        "interventions avoided at 0.2": float(curve.avoided[0, 0]),
    }


def calibration_study(patients: int, images: int, alike: float, rng, repeats) -> Intervals:
    """Draw a study of calibration."""
    labels, chances, member = forecasts(rng, patients, images, alike)
    intervals: Intervals = {}
    for name, who in (("independent", None), ("between patients", member)):
        if images == 1 and who is not None:
            continue
        line = calibration_line(labels, chances, who)
        for part in ("slope", "intercept", "offset"):
            intervals[f"calibration {part}", name] = getattr(line, part).interval
        intervals["Brier score", name] = brier_score(labels, chances, patients=who).score.interval
    if not repeats:
        return intervals
    curve = decision_curve(
        labels, chances, [THRESHOLD], member, repeats=repeats, seed=int(rng.integers(2**31))
    )
    name = "bootstrap percentile"
    intervals["net benefit at 0.2", name] = tuple(curve.net_benefit_intervals[0, 0])
    intervals["interventions avoided at 0.2", name] = tuple(curve.avoided_intervals[0, 0])
    return intervals


def two_models(rng, cases):
    """Labels and the probabilities of an old and of a new model that knows more."""
    known, more = 1.2 * rng.normal(size=cases), 0.8 * rng.normal(size=cases)
    labels = (rng.random(cases) < expit(-1 + known + more)).astype(int)
    return labels, expit(-1 + 0.9 * known), expit(-1 + known + more)


def gains(labels, old, new):
    """Return what a new model gains, by name."""
    ill = labels == 1
    return {
        "NRI at 0.3": net_reclassification(labels, old, new, 0.3).total,
        "NRI, category-free": net_reclassification(labels, old, new).total,
        "IDI": discrimination_improvement(labels, old, new).total,
        "difference of sensitivities": mcnemar(new[ill] >= 0.3, old[ill] >= 0.3).difference,
    }


def gain_study(cases: int, rng, _repeats) -> Intervals:
    """Draw a study of two models."""
    found = gains(*two_models(rng, cases))
    return {(name, GAINS_USE[name]): estimate.interval for name, estimate in found.items()}


@cache
def gain_truths():
    """Return what a new model gains of many images."""
    moved = gains(*two_models(np.random.default_rng(2), MANY))
    return {name: estimate.value for name, estimate in moved.items()}


def calibration_use(images: int) -> dict[str, str]:
    """Return which intervals a study of calibration should report."""
    linear = ("calibration slope", "calibration intercept", "calibration offset", "Brier score")
    resampled = ("net benefit at 0.2", "interventions avoided at 0.2")
    name = "independent" if images == 1 else "between patients"
    return dict.fromkeys(linear, name) | dict.fromkeys(resampled, "bootstrap percentile")


GAINS_USE = {
    "NRI at 0.3": "independent",
    "NRI, category-free": "independent",
    "IDI": "independent",
    "difference of sensitivities": "Tango",
}
KINDS = {
    "400 images, one a patient": (400, 1, 0.0),
    "120 images, one a patient": (120, 1, 0.0),
    "100 patients of 4 alike images": (100, 4, 0.6),
}
SCENARIOS = [
    Scenario(name, calibration_truths, partial(calibration_study, *kind), calibration_use(kind[1]))
    for name, kind in KINDS.items()
] + [
    Scenario(f"two models on {cases} images", gain_truths, partial(gain_study, cases), GAINS_USE)
    for cases in (300, 80)
]
