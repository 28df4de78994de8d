"""How two ways of doing the same are compared."""

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2


@dataclass(frozen=True)
class Ratio:
    """How many times as good one way is as another, where less is better.

    Attributes:
        name: What was compared.
        ours: What our way takes: of time, the median of all runs.
        theirs: What the other way takes.
        goal: Ratio to reach, if there is one.
        unit: Milliseconds of CPU time, or that of a size.
    """

    name: str
    ours: float
    theirs: float
    goal: float | None = None
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """What the other way takes divided by what ours takes."""
        return self.theirs / self.ours

    @property
    def reached(self) -> bool:
        """Whether the goal is reached; without a goal it is."""
        return self.goal is None or self.ratio >= self.goal

    def __str__(self) -> str:
        """Return one line of the table."""
        verdict = (
            "" if self.goal is None else f"{self.goal:6.2f}  {'yes' if self.reached else 'NO'}"
        )
        taken = f"{self.ours:9.1f} {self.theirs:10.1f} {self.unit:<4}{self.ratio:7.2f}"
        return f"{self.name:<62}{taken}  {verdict}".rstrip()


HEADER = f"{'':<62}{'ours':>9} {'theirs':>10} {'':<4}{'ratio':>7}  {'goal':>6}  reached"


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


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a fresh process with one thread and return its answer.

    Large arrays that another comparison freed serve later ones without the cost of new
    memory, which changes either side: by half for pydicom's HTJ2K.
    """
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, fresh, initializer=cv2.setNumThreads, initargs=(1,)) as process:
        return process.submit(function, *arguments).result()
