"""How many cases lie above each of some thousand thresholds: all that a page needs to know."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mammography.reports.evidence.attributes import Attribute
from mammography.reports.evidence.study import Study

MOST_THRESHOLDS = 1000

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


def count_above(scores: ArrayLike, thresholds: ArrayLike) -> Whole:
    """Count the scores that are at least as high as each threshold.

    Shapes:
        scores: ``(N,)``; thresholds and the result ``(T,)``.

    Example:
        >>> count_above([0.2, 0.4, 0.4], [0.1, 0.4, 0.5]).tolist()
        [3, 2, 0]
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    return np.asarray(len(ordered) - np.searchsorted(ordered, np.asarray(thresholds), "left"))


def threshold_grid(study: Study, also: Iterable[float] = (), most: int = MOST_THRESHOLDS) -> Floats:
    """Return thresholds to choose from, from low to high.

    All scores while they are few; otherwise as many quantiles of the positive as of the negative
    cases of each model, since cancers are rare. The whole percents, those that were chosen before
    and one that recalls nobody are always among them.

    Args:
        study: The cases.
        also: Thresholds that must be among them.
        most: About how many there may be.
    """
    scores = np.concatenate([model.scores for model in study.models])
    chosen = np.unique(scores)
    if len(chosen) > most:
        share = np.linspace(0, 1, most // (2 * len(study.models)))
        chosen = np.concatenate(
            [
                np.quantile(model.scores[study.labels == label], share, method="inverted_cdf")
                for model in study.models
                for label in (0, 1)
            ]
        )
    shares = scores.min() >= 0 and scores.max() <= 1
    percents = [percent / 100 for percent in range(1, 100)] if shares else []
    nobody = 1.0 if scores.max() < 1 else np.nextafter(scores.max(), np.inf)
    own = [model.threshold.value for model in study.models]
    return np.unique([*chosen, *percents, *own, *also, nobody])


def grouped_counts(study: Study, grid: Floats) -> Iterator[dict[str, object]]:
    """Yield, for all cases and each subgroup, how many lie above each threshold, by model."""
    everyone = np.ones(study.n, bool)
    yield _counts(study, "all cases", everyone, grid)
    for attribute in study.divisions:
        for group, chosen in members_of(attribute):
            yield _counts(study, f"{attribute.title}: {group}", chosen, grid)


def members_of(attribute: Attribute) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield each subgroup with which cases are in it, ``(N,)``."""
    values = np.array(attribute.values, dtype=str)
    for group in attribute.groups:
        yield group, values == group


def _counts(study: Study, name: str, chosen: NDArray[np.bool_], grid: Floats) -> dict[str, object]:
    positive = study.labels == 1
    sides = {"tp": chosen & positive, "fp": chosen & ~positive}
    told: dict[str, object] = {
        side: [_steps(count_above(model.scores[cases], grid)) for model in study.models]
        for side, cases in sides.items()
    }
    return {
        "name": name,
        "n1": int(sides["tp"].sum()),
        "n0": int(sides["fp"].sum()),
        **told,
    }


def _steps(counts: Whole) -> list[int]:
    """Write falling counts as the first and by how much each is lower than the one before."""
    return [int(counts[0]), *(-np.diff(counts)).tolist()]
