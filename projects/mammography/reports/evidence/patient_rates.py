"""Rates at a threshold with intervals that know that the cases of one patient are alike."""

import numpy as np

from mammography.functional.estimate import Estimate
from mammography.functional.predictive_values import PredictiveValues, predictive_values
from mammography.functional.proportions import clustered_proportion, proportion
from mammography.reports.evidence.live import assumed_prevalence
from mammography.reports.evidence.study import Model, Study

_FEWEST_PATIENTS = 2


def predictive_values_of(study: Study, model: Model) -> PredictiveValues | None:
    """Return both predictive values at the prevalence that was given.

    Args:
        study: The cases.
        model: One of its models.

    Returns:
        None where none is asked for (a cohort without a given prevalence has its own), or a class
        has too few cases for an interval.
    """
    options = study.options
    if not study.enough or (options.prevalence is None and options.sampling == "cohort"):
        return None
    called = model.scores >= model.threshold.value
    return predictive_values(study.labels, called, assumed_prevalence(study), study.patients)


def rates_by_patient(study: Study, model: Model) -> dict[str, Estimate]:
    """Return sensitivity, specificity, PPV, NPV and recall rate at the stated threshold.

    Where every patient has one case, or a single patient has all, the intervals are Wilson's.

    Args:
        study: The cases.
        model: One of its models.
    """
    positive, called = study.labels == 1, model.scores >= model.threshold.value
    everyone = np.ones_like(called)
    shares = {
        "sensitivity": (positive, called),
        "specificity": (~positive, ~called),
        "ppv": (called, positive),
        "npv": (~called, ~positive),
        "recall_rate": (everyone, called),
    }
    member = np.unique(study.patients, return_inverse=True)[1]
    found = {}
    for name, (trial, success) in shares.items():
        trials, successes = (np.bincount(member, one) for one in (trial, trial & success))
        if trials.max() <= 1 or (trials > 0).sum() < _FEWEST_PATIENTS:
            found[name] = proportion(float(successes.sum()), float(trials.sum()))
        else:
            found[name] = clustered_proportion(successes, trials)
    return found
