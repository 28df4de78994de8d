"""Statistics of large studies, on one core: ours is the time taken, theirs the time allowed.

A screening study of 100,000 images is resampled by patient 2,000 times, and a million cases
have DeLong's variance. Beside them, what scikit-learn takes in a loop over resamples.
"""

import time
from collections.abc import Iterator

import numpy as np
from sklearn.metrics import roc_auc_score
from tools.benchmarks.timing import Ratio, alone, compare

from mammography.functional.bootstrap import bootstrap_areas
from mammography.functional.clustered_areas import clustered_roc_areas
from mammography.functional.decision_curve import decision_curve
from mammography.functional.delong import roc_areas

BOOTSTRAP_MAY_TAKE_MS, DELONG_MAY_TAKE_MS = 30_000, 2_000
IMAGES, CASES, IMAGES_PER_PATIENT, REPEATS = 100_000, 1_000_000, 4, 2_000


def screening(images):
    """Labels, probabilities and patients with one positive image in fifty."""
    rng = np.random.default_rng(0)
    chances = 1 / (1 + np.exp(-rng.normal(-4.5, 1.5, images)))
    labels = (rng.random(images) < chances).astype(int)
    return labels, chances, np.arange(images) // IMAGES_PER_PATIENT


def within(name, allowed_ms, run):
    start = time.process_time()
    run()
    return Ratio(name, 1000 * (time.process_time() - start), allowed_ms, 1.0)


def large_bootstrap():
    labels, chances, patients = screening(IMAGES)
    return [
        within(
            f"{REPEATS}-fold patient bootstrap of AUC, {IMAGES} images",
            BOOTSTRAP_MAY_TAKE_MS,
            lambda: bootstrap_areas(labels, chances, patients, repeats=REPEATS),
        ),
        within(
            f"{REPEATS}-fold decision curve, {IMAGES} images",
            BOOTSTRAP_MAY_TAKE_MS,
            lambda: decision_curve(labels, chances, np.linspace(0.01, 0.5, 50), patients),
        ),
    ]


def large_delong():
    labels, chances, patients = screening(CASES)
    return [
        within(
            f"DeLong's variance, {CASES} cases",
            DELONG_MAY_TAKE_MS,
            lambda: roc_areas(labels, chances),
        ),
        within(
            f"clustered variance, {CASES} cases",
            DELONG_MAY_TAKE_MS,
            lambda: clustered_roc_areas(labels, patients, chances),
        ),
    ]


def against_scikit_learn():
    labels, chances, patients = screening(20_000)
    images = patients.reshape(-1, IMAGES_PER_PATIENT)[:, 0] * IMAGES_PER_PATIENT
    several = np.arange(IMAGES_PER_PATIENT)

    def loop():
        rng = np.random.default_rng(0)
        for _ in range(50):
            drawn = (rng.choice(images, images.size)[:, None] + several).ravel()
            roc_auc_score(labels[drawn], chances[drawn])

    return [
        compare(
            "50-fold patient bootstrap, 20000 images, scikit-learn in a loop",
            lambda: bootstrap_areas(labels, chances, patients, repeats=50),
            loop,
        )
    ]


def run() -> Iterator[Ratio]:
    for part in (large_bootstrap, large_delong, against_scikit_learn):
        yield from alone(part)
