"""Invented studies with a yes-or-no outcome, independent or of several images per patient."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

# A machine that others use as well must not fail a property for the time it takes.
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def draw_cases(seed=0, positives=40, negatives=60, digits=9, separation=1.0):
    """Labels and two scores of the same cases that agree in part; few digits make many ties."""
    rng = np.random.default_rng(seed)
    labels = np.repeat([1, 0], [positives, negatives])
    skill = separation * labels + rng.normal(size=labels.size)
    first, second = (np.round(skill + rng.normal(size=labels.size), digits) for _ in range(2))
    return labels, first, second


def draw_patients(seed=0, patients=80, images=4, spread=1.0, digits=9):
    """Labels, scores and patients of images; a patient has images of both classes at times."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), images)
    ill = rng.random(patients) < 0.5
    labels = (ill[patient] & (rng.random(patient.size) < 0.7)).astype(int)
    luck = spread * rng.normal(size=patients)
    scores = labels + luck[patient] + rng.normal(size=patient.size)
    return labels, np.round(scores, digits), patient


def draw_forecasts(seed=0, cases=300, slope=1.0, offset=0.0):
    """Labels and probabilities whose log odds are off by a factor and a shift."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(-1, 1.5, cases)
    labels = (rng.random(cases) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return labels, 1 / (1 + np.exp(-(log_odds - offset) / slope))


@st.composite
def small_studies(draw, fewest=2, most=30):
    """Labels of both classes and scores with many ties, as hypothesis draws them."""
    counts = [draw(st.integers(fewest, most)) for _ in range(2)]
    labels = np.repeat([1, 0], counts)
    steps = draw(st.lists(st.integers(-6, 6), min_size=sum(counts), max_size=sum(counts)))
    return labels, np.array(steps, dtype=float)
