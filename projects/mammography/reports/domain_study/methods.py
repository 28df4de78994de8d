"""How the numbers of a study were made, in words."""

import math
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.functional.score_measures import BINS
from mammography.reports.cases import CASES
from mammography.reports.domain_study.cells import Outcome, score_of_a_case
from mammography.reports.domain_study.measures import Measure
from mammography.reports.wording import counted

_PACKAGES = ("mammography", "scikit-learn", "scipy", "numpy", "matplotlib")
_MEASURES = {
    "pf1": "Probabilistic F1: a score p counts as p of a positive call (RSNA 2022).",
    "brier": "Brier score: the mean squared difference of score and label; lower is better.",
    "ece": (
        f"Expected calibration error: mean distance of score and share of positives over {BINS} "
        "equal bins of the scores; lower is better."
    ),
    "calibration_slope": (
        "Calibration slope: of the logistic regression of the label on the log odds of the score; "
        "1 is right, below 1 the scores are too extreme."
    ),
    "calibration_intercept": (
        "Calibration intercept: how far the log odds of all scores must move for their mean to be "
        "the share of positives; 0 is right, below 0 they are too high."
    ),
}


_OF_MODELS = "models are compared in a table of their own."


def method_notes(outcome: Outcome, measures: Sequence[Measure]) -> Iterator[str]:
    """Say how each number was made."""
    tests = [m.comparison.delong.p_value for m in measures if m.comparison]
    made = sum(not math.isnan(value) for value in tests)
    score = score_of_a_case(outcome, (m.cases.info for m in measures if m.cases))
    yield (
        f"One case is one {CASES[outcome.level]}: its score is {score}, with a label or without, "
        "its label positive if that of any of its images is. Cases without a label are left out."
    )
    yield (
        "ROC-AUC: ties count half. PR-AUC: the precision-recall curve by trapezoids from (recall "
        "0, precision 1), as published for system DoSReMC; no threshold lies on its lines. Average "
        "precision: the sum of precision times step in recall. The baseline of the last "
        "two is the share of positives, so they cannot be compared between targets."
    )
    yield (
        "Intervals by DeLong: variance of DeLong, DeLong and Clarke-Pearson (1988), on the scale "
        "of log odds for one area and plain for a difference; tests: paired, two-sided, normal. "
        "They treat cases as independent, which the breasts of one patient are not; the intervals "
        "of patients do not. There is none where all cases are in order."
    )
    yield (
        f"Intervals of patients: {outcome.repeats:,} resamples of patients with replacement, "
        "each with all cases, percentiles, seed 0; a resample of one class is drawn again. "
        "Differences are paired: both sides on the same resamples."
    )
    yield (
        f"p, Holm: adjusted for the {counted(made, 'test')} of this page together (Holm 1979). "
        f"Each compares statistics with {outcome.reference} of the same trained model and target; "
        f"{_OF_MODELS if outcome.reference_model else 'models are not tested against each other.'}"
    )
    if outcome.reference_model:
        yield (
            f"Models are compared with {outcome.reference_model} on the same cases, each training "
            "with the one of the same sources and seed; of several seeds the mean. p: two-sided, "
            f"of resampled patients, not below {2 / (outcome.repeats + 1):.1g}; Holm: over all "
            "comparisons with one measure."
        )
    yield from (_MEASURES[name] for name in outcome.measures if name in _MEASURES)
    yield (
        f"No interval and no test is given below {FEWEST_OF_A_CLASS} cases of each class. "
        "Intervals tell about other patients of the same hospital, not about another training."
    )
    yield "Page computed with " + ", ".join(f"{name} {version(name)}" for name in _PACKAGES) + "."
