"""What any measure of scores is on resampled patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.bootstrap import FEWEST_OF_A_CLASS
from mammography.functional.resampling import resample_patients
from mammography.functional.score_measures import MEASURES, Floats


def bootstrap_measures(
    labels: ArrayLike,
    scores: ArrayLike,
    patients: ArrayLike,
    *,
    measures: Sequence[str],
    repeats: int = 2000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Return measures of resampled patients.

    All scores and measures see the same resamples, so that the difference of two columns is the
    paired difference. A resample that does not define one of them is drawn again; a measure that
    the study itself does not define is NaN in all.

    Shapes:
        - labels, patients: ``(N,)``; labels are 0 or 1, patients any names.
        - scores: ``(N,)`` or ``(K, N)``, several scores of the same cases.

    Args:
        labels: What was true.
        scores: Higher for class 1.
        patients: Whom each case belongs to.
        measures: Names in :data:`~mammography.functional.score_measures.MEASURES`.
        repeats: Number of resamples.
        seed: Of the resampling.

    Returns:
        Name of the measure to its values, ``(repeats, K)``.

    Raises:
        ValueError: If a class has fewer than ten cases, too few for an interval.

    Example:
        >>> labels, scores, patients = [0, 1] * 20, [0.3, 0.6, 0.5, 0.4] * 10, range(40)
        >>> draws = bootstrap_measures(labels, scores, patients, measures=["brier"], repeats=50)
        >>> draws["brier"].shape, round(float(draws["brier"].mean()), 2)
        ((50, 1), 0.22)
    """
    truth = np.asarray(labels, np.float64)
    table = np.atleast_2d(np.asarray(scores, np.float64))
    fewest = int(min((truth == 0).sum(), (truth == 1).sum()))
    if fewest < FEWEST_OF_A_CLASS:
        raise ValueError(
            f"an interval must rest on at least {FEWEST_OF_A_CLASS} cases of each class, "
            f"got {fewest}"
        )
    prepared = [MEASURES[name](truth, row) for name in measures for row in table]
    whole = np.ones((1, truth.size))
    defined = [at for at, of in enumerate(prepared) if np.isfinite(of(whole)).all()]

    def statistic(weights: Floats) -> Floats:
        return np.stack([prepared[at](weights) for at in defined], axis=1)

    draws = np.full((repeats, len(prepared)), np.nan)
    if defined:
        draws[:, defined] = resample_patients(statistic, patients, repeats=repeats, seed=seed).draws
    return dict(zip(measures, np.split(draws, len(measures), axis=1), strict=True))
