"""Measure coverage: ``python -m tools.benchmarks.coverage [--studies 2000] [--seed 0]``."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")  # Before NumPy is loaded.

from tools.benchmarks.coverage import discrimination, probabilities, readers
from tools.benchmarks.coverage.scenario import Coverage, measure

LOWEST, HIGHEST = 0.93, 0.97
COLUMNS = ("studies of", "interval of", "by", "covers", "above", "below", "width", "none", "93-97")


def table(rows: Sequence[Coverage]) -> str:
    """Return rows in Markdown: shares in per cent."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for row in rows:
        below = abs(1 - row.covered - row.above)
        lines.append(
            f"| {row.scenario} | {row.quantity} | {row.interval} | {100 * row.covered:.1f} "
            f"| {100 * row.above:.1f} | {100 * below:.1f} | {row.width:.3f} "
            f"| {row.undefined or ''} | {'yes' if holds(row) else '**no**'} |"
        )
    return "\n".join(lines)


def holds(row: Coverage) -> bool:
    """Tell whether an interval covers as often as it should."""
    return LOWEST <= row.covered <= HIGHEST


def main() -> None:
    """Print the intervals to report, then all others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000, help="of each design")
    parser.add_argument("--repeats", type=int, default=400, help="resamples; 0: no bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", metavar="WORD", help="designs whose name has it")
    parser.add_argument("--processes", type=int, default=1, help="the result is the same")
    chosen = parser.parse_args()
    start = time.perf_counter()
    scenarios = [*discrimination.SCENARIOS, *probabilities.SCENARIOS, *readers.SCENARIOS]
    scenarios = [scenario for scenario in scenarios if chosen.only in scenario.name]
    rows: list[Coverage] = []
    with ProcessPoolExecutor(chosen.processes) as pool:
        each = partial(measure, studies=chosen.studies, repeats=chosen.repeats, seed=chosen.seed)
        for done, found in enumerate(pool.map(each, scenarios), 1):
            print(f"{done} of {len(scenarios)} designs", file=sys.stderr, flush=True)
            rows += found
    for title, use in (("Intervals to report", True), ("Other intervals", False)):
        part = [row for row in rows if row.use is use]
        inside = sum(map(holds, part))
        print(f"## {title}\n\n{inside} of {len(part)} cover between 93 % and 97 %.\n")
        print(table(part), end="\n\n")
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
