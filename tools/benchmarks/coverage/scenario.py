"""A kind of study that can be drawn again and again, and the tally of its intervals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Interval = tuple[float, float]
# Quantity and name of the interval to both ends.
Intervals = dict[tuple[str, str], Interval]


@dataclass(frozen=True)
class Scenario:
    """Studies of one design.

    Attributes:
        name: Design and size.
        truths: Returns the true value of each quantity; takes a while where it is of many cases.
        draw: Draws a study and returns its intervals, those of resampled patients with so many
            resamples; none of them with 0.
        use: Quantity to the name of the interval that a study of this design should report:
            what is known beforehand decides, whether patients have several images and whether the
            study fixed its numbers of patients.
    """

    name: str
    truths: Callable[[], Mapping[str, float]]
    draw: Callable[[np.random.Generator, int], Intervals]
    use: Mapping[str, str]


@dataclass(frozen=True)
class Coverage:
    """How an interval did.

    Attributes:
        scenario: Of which studies.
        quantity: What it is an interval of.
        interval: Its name.
        studies: How many studies have one; the others have NaN and count for nothing.
        covered: Share of them that hold the truth.
        above: Share that lie above it.
        width: Mean width.
        undefined: How many studies have none.
        use: Whether it is the one to report.
    """

    scenario: str
    quantity: str
    interval: str
    studies: int
    covered: float
    above: float
    width: float
    undefined: int
    use: bool


def measure(scenario: Scenario, studies: int, repeats: int, seed: int) -> list[Coverage]:
    """Draw studies and count which intervals hold the truth."""
    found: dict[tuple[str, str], list[Interval]] = {}
    for rng in np.random.default_rng(seed).spawn(studies):
        for name, interval in scenario.draw(rng, repeats).items():
            found.setdefault(name, []).append(interval)
    rows, truths = [], scenario.truths()
    for (quantity, name), intervals in found.items():
        low, high = np.array(intervals, dtype=float).T
        some = np.isfinite(low) & np.isfinite(high)
        low, high, truth = low[some], high[some], truths[quantity]
        rows.append(
            Coverage(
                scenario.name,
                quantity,
                name,
                int(some.sum()),
                float(((low <= truth) & (truth <= high)).mean()),
                float((low > truth).mean()),
                float((high - low).mean()),
                int((~some).sum()),
                scenario.use.get(quantity) == name,
            )
        )
    return rows
