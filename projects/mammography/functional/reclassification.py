"""How a new model moves cases against an old one: NRI and IDI, for those who are asked for them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from mammography.functional.binary_cases import Floats, binary_cases
from mammography.functional.estimate import Estimate


@dataclass(frozen=True)
class Reclassification:
    """What a new model gains among both classes.

    Attributes:
        events: Among cases of class 1, where up is right.
        nonevents: Among cases of class 0, where down is right.
        total: Their sum, which weighs both classes alike at any prevalence and is no share of
            anything; report the parts.
    """

    events: Estimate
    nonevents: Estimate
    total: Estimate


def net_reclassification(
    labels: ArrayLike,
    old: ArrayLike,
    new: ArrayLike,
    threshold: float | None = None,
    level: float = 0.95,
) -> Reclassification:
    """Return the net reclassification improvement of independent cases.

    With a threshold, the parts are the differences in sensitivity and in specificity, under other
    names. Without, every case that moves counts, however little it moves.

    Caveats. The category-free index rises for useless variables and for models that are only
    worse calibrated, on new data as well; both models must be calibrated on these cases first. Its
    p-values reject far too often, so that none is given here: test the areas
    (:func:`~mammography.functional.delong.compare_areas`), and report net benefits
    (:func:`~mammography.functional.decision_curve.decision_curve`).

    Shapes:
        - labels, old, new: ``(N,)``; labels are 0 or 1, the others probabilities of 1.

    Args:
        labels: What was true.
        old: Of the model there was.
        new: Of the model to judge.
        threshold: From which probability a case is high; None for the category-free index.
        level: Coverage of the intervals.

    Raises:
        ValueError: If a class has no case, or a label or probability is no number it can be.

    References:
        Pencina et al., Statistics in Medicine 2008;27:157; category-free:
        Pencina et al., Statistics in Medicine 2011;30:11. Caveats: Hilden and Gerds, Statistics in
        Medicine 2014;33:3405; Kerr et al., Epidemiology 2014;25:114; Pepe et al., Statistics in
        Biosciences 2015;7:282.

    Example:
        >>> labels, old, new = [0, 0, 1, 1], [0.2, 0.6, 0.4, 0.6], [0.1, 0.4, 0.7, 0.8]
        >>> found = net_reclassification(labels, old, new, threshold=0.5)
        >>> found.events.value, found.nonevents.value, found.total.value
        (0.5, 0.5, 1.0)
    """
    positive, table = binary_cases("net_reclassification", labels, [old, new], fewest=1)
    if threshold is not None:
        table = (table >= threshold).astype(np.float64)
    moves = np.sign(table[1] - table[0])
    return _summed(moves[positive], -moves[~positive], level)


def discrimination_improvement(
    labels: ArrayLike, old: ArrayLike, new: ArrayLike, level: float = 0.95
) -> Reclassification:
    """Return the integrated discrimination improvement of independent cases.

    It is the gain in the difference between the mean probabilities of both classes.

    Caveats. It rewards probabilities that are too extreme, and depends on the prevalence: models
    that rank alike differ in it. The interval is not valid for a model and the same with a
    variable more that were fitted to these very cases.

    Shapes:
        - labels, old, new: ``(N,)``; labels are 0 or 1, the others probabilities of 1.

    Raises:
        ValueError: If a class has no case, or a label or probability is no number it can be.

    References:
        Pencina et al., Statistics in Medicine 2008;27:157. Caveats: Kerr et
        al., American Journal of Epidemiology 2011;174:364; Hilden and Gerds, Statistics in
        Medicine 2014;33:3405.

    Example:
        >>> found = discrimination_improvement([0, 0, 1, 1], [0.4] * 4, [0.2, 0.4, 0.5, 0.9])
        >>> round(found.total.value, 3)
        0.4
    """
    positive, table = binary_cases("discrimination_improvement", labels, [old, new], fewest=1)
    moves = table[1] - table[0]
    return _summed(moves[positive], -moves[~positive], level)


def _summed(events: Floats, nonevents: Floats, level: float) -> Reclassification:
    """Return means of gains of both classes, and their sum."""
    parts = [(float(gains.mean()), _variance(gains)) for gains in (events, nonevents)]
    parts.append((parts[0][0] + parts[1][0], parts[0][1] + parts[1][1]))
    z = float(ndtri((1 + level) / 2))
    return Reclassification(
        *(
            Estimate(value, (value - z * math.sqrt(variance), value + z * math.sqrt(variance)))
            for value, variance in parts
        )
    )


def _variance(gains: Floats) -> float:
    """Return that of a mean; NaN of one case."""
    return float(gains.var(ddof=1)) / gains.size if gains.size > 1 else math.nan
