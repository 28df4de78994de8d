"""How two ways of doing the same are compared."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ratio:
    """How many times as fast one way is as another.

    Attributes:
        name: What was compared.
        ours_ms: CPU time of our way, the median of all runs.
        theirs_ms: CPU time of the other way.
        goal: Ratio to reach, if there is one.
    """

    name: str
    ours_ms: float
    theirs_ms: float
    goal: float | None = None

    @property
    def ratio(self) -> float:
        """Time of the other way divided by the time of ours."""
        return self.theirs_ms / self.ours_ms

    @property
    def reached(self) -> bool:
        """Whether the goal is reached; without a goal it is."""
        return self.goal is None or self.ratio >= self.goal

    def __str__(self) -> str:
        """Return one line of the table."""
        verdict = (
            "" if self.goal is None else f"{self.goal:6.2f}  {'yes' if self.reached else 'NO'}"
        )
        times = f"{self.ours_ms:9.1f} {self.theirs_ms:10.1f} {self.ratio:7.2f}"
        return f"{self.name:<62}{times}  {verdict}".rstrip()


HEADER = f"{'':<62}{'ours ms':>9} {'theirs ms':>10} {'ratio':>7}  {'goal':>6}  reached"


def compare(
    name: str,
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    goal: float | None = None,
    repeats: int = 7,
) -> Ratio:
    """Run both ways in turn and compare the medians of their CPU times.

    Taking turns gives both the same share of what else the machine does; CPU time of the
    process leaves out waiting. A first run of each warms caches and is not counted.

    Args:
        name: What is compared.
        ours: Our way.
        theirs: The other way.
        goal: How many times as fast ours must be.
        repeats: Runs of each that count.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for way, taken in zip((ours, theirs), times, strict=True):
            start = time.process_time()
            way()
            taken.append(1000 * (time.process_time() - start))
    ours_ms, theirs_ms = (statistics.median(taken[1:]) for taken in times)
    return Ratio(name, ours_ms, theirs_ms, goal)
