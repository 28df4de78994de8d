"""How many lesions are found at so many false marks per image, between patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mammography.functional.binary_cases import Floats
from mammography.functional.curve_areas import Ranking
from mammography.functional.resamples import Resamples
from mammography.functional.resampling import resample_patients

# Those of the LUNA16 challenge, whose mean sensitivity is the competition performance metric.
FALSE_MARKS_PER_IMAGE = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def bootstrap_froc(
    lesion_scores: ArrayLike,
    lesion_patients: ArrayLike,
    false_scores: ArrayLike,
    false_patients: ArrayLike,
    image_patients: ArrayLike,
    *,
    rates: Sequence[float] = FALSE_MARKS_PER_IMAGE,
    repeats: int = 2000,
    seed: int = 0,
    jackknife: bool = False,
) -> Resamples:
    """Return the sensitivities at rates of false marks, and then their mean, of resampled patients.

    At each rate it is the best sensitivity that a threshold reaches with no more false marks
    per image; nothing is interpolated, and lesions and marks with one score come together.

    Shapes:
        - lesion_scores, lesion_patients: ``(L,)``; false_scores, false_patients: ``(F,)``;
          image_patients: ``(I,)``.

    Args:
        lesion_scores: Of the highest mark in each lesion; minus infinity where there is none.
        lesion_patients: Whose each lesion is.
        false_scores: Of each mark in no lesion.
        false_patients: Whose image each such mark is on.
        image_patients: Whose each image is that false marks are counted on, with marks or not.
        rates: False marks per image.
        repeats: Number of resamples.
        seed: Of the resampling.
        jackknife: Whether to leave out patients as well, for BCa intervals.

    Raises:
        ValueError: If there is no lesion or no image, a score is NaN, a rate is not positive, or
            a false mark's patient has no image.

    References:
        Bunch et al., Proceedings of SPIE 1977;127:124; the mean over rates: Setio et al., Medical
        Image Analysis 2017;42:1; patients resampled: Samuelson and Petrick, IEEE International
        Symposium on Biomedical Imaging 2006.

    Example:
        >>> found = bootstrap_froc([0.9, 0.4], ["a", "b"], [0.5], ["b"], ["a", "b"], rates=(0.4, 1))
        >>> found.estimate.tolist()
        [0.5, 1.0, 0.75]
    """
    place = "bootstrap_froc"
    lesions, false = (np.asarray(part, dtype=np.float64) for part in (lesion_scores, false_scores))
    owners = [np.asarray(part) for part in (lesion_patients, false_patients, image_patients)]
    if (lesions.shape, false.shape) != (owners[0].shape, owners[1].shape):
        raise ValueError(f"{place}: every lesion and every false mark must have one patient")
    if not lesions.size or not owners[2].size:
        raise ValueError(
            f"{place}: there must be lesions and images, got {lesions.size} and {owners[2].size}"
        )
    if np.isnan(lesions).any() or np.isposinf(lesions).any() or not np.isfinite(false).all():
        raise ValueError(f"{place}: scores must be numbers, minus infinity for a lesion not marked")
    if min(rates) <= 0:
        raise ValueError(f"{place}: rates must be positive, got {min(rates)}")
    if false.size and (strangers := np.setdiff1d(owners[1], owners[2])).size:
        raise ValueError(f"{place}: patients of false marks must have images, got {strangers[0]}")
    marked = np.flatnonzero(np.isfinite(lesions))
    ranking = Ranking.of(
        np.repeat([1, 0], [marked.size, false.size]), np.concatenate([lesions[marked], false])
    )
    limits = np.asarray(rates, dtype=np.float64)

    def statistic(weights: Floats) -> Floats:
        of_lesions, of_false, of_images = np.split(
            weights, np.cumsum([lesions.size, false.size]), axis=1
        )
        total, images = of_lesions.sum(axis=1), of_images.sum(axis=1)
        counts = np.concatenate([of_lesions[:, marked], of_false], axis=1)
        found = _found_within(ranking, counts, limits * images[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = found / total[:, None]
        shares[images == 0] = np.nan
        return np.concatenate([shares, shares.mean(axis=1, keepdims=True)], axis=1)

    everybody = np.concatenate([owner for owner in owners if owner.size])
    return resample_patients(statistic, everybody, repeats=repeats, seed=seed, jackknife=jackknife)


def _found_within(ranking: Ranking, counts: Floats, limits: Floats) -> Floats:
    """Return how many lesions are found with so many false marks, ``(R, L)``."""
    if not counts.shape[1]:
        return np.zeros_like(limits)
    found, false = ranking.tally(counts)
    # Counts are whole: half a mark more is none more, whatever the rounding of a rate.
    places = [(false <= limit[:, None] + 1e-6).sum(axis=1) for limit in limits.T]
    padded = np.concatenate([np.zeros((len(found), 1)), found], axis=1)
    return np.stack([np.take_along_axis(padded, p[:, None], 1)[:, 0] for p in places], axis=1)
