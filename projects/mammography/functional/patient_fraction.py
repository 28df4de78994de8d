"""A share of the patients that is like all of them."""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np

Patient = TypeVar("Patient", bound=Hashable)


def draw_fraction(
    strata: Mapping[Patient, Hashable], fraction: float, seed: int = 0
) -> set[Patient]:
    """Draw a share of the patients of each stratum.

    Of n patients in a stratum ``floor(fraction * n + 1/2)`` are kept, at least one: none
    disappears, and many small strata keep more than the fraction. Larger fractions of one seed
    contain the smaller ones, so a learning curve adds patients instead of exchanging them.

    Args:
        strata: Stratum of each patient; the order does not matter.
        fraction: Share to keep, in (0, 1].
        seed: Seed of the draw.

    Raises:
        ValueError: If the fraction is none.

    References:
        System B's "finite sample rate": patients by cancer, density and ethnic group.

    Example:
        >>> strata = {f"p{i}": "cancer" if i < 4 else "healthy" for i in range(40)}
        >>> kept = draw_fraction(strata, 0.25)
        >>> sorted(Counter(strata[patient] for patient in kept).items())
        [('cancer', 1), ('healthy', 9)]
    """
    if not 0 < fraction <= 1:
        raise ValueError(f"draw_fraction: fraction must lie in (0, 1], got {fraction}")
    members: dict[Hashable, list[Patient]] = defaultdict(list)
    for patient in sorted(strata, key=str):
        members[strata[patient]].append(patient)
    rng = np.random.default_rng(seed)
    kept: set[Patient] = set()
    for stratum in sorted(members, key=str):
        patients = members[stratum]
        count = max(1, math.floor(fraction * len(patients) + 0.5))
        kept |= {patients[place] for place in rng.permutation(len(patients))[:count]}
    return kept


def join_values(values: Iterable[float | str | None]) -> float | str | None:
    """Return what stands for a patient whose images have several values.

    The highest number (any cancer is cancer), or the most frequent word, the first in the
    alphabet of equally frequent ones; None where nothing is known.

    Raises:
        ValueError: If there are numbers and words.

    Example:
        >>> join_values([0.0, 1.0, None]), join_values(["b", "a", "b"]), join_values([None])
        (1.0, 'b', None)
    """
    known = [value for value in values if value is not None]
    words = [value for value in known if isinstance(value, str)]
    if not known:
        return None
    if words and len(words) < len(known):
        raise ValueError(f"join_values: values must be numbers or words, got {known}")
    if words:
        return min(Counter(words).items(), key=lambda item: (-item[1], item[0]))[0]
    return max(float(value) for value in known)
