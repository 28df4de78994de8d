"""Measure coverage: ``python -m tools.benchmarks.coverage [--studies 2000] [--seed 0]``."""

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial

os.environ.setdefault("OMP_NUM_THREADS", "1")  # Before NumPy is loaded.

from tools.benchmarks.coverage import discrimination, probabilities, readers
from tools.benchmarks.coverage.scenario import Coverage, measure

LOWEST, HIGHEST = 0.93, 0.97
COLUMNS = ("studies of", "interval of", "by", "covers", "above", "below", "width", "none", "93-97")


def line(row: Coverage) -> str:
    """Return one row of the table."""
    below = abs(1 - row.covered - row.above)
    inside = "yes" if LOWEST <= row.covered <= HIGHEST else "**no**"
    return (
        f"| {row.scenario} | {row.quantity} | {row.interval} | {100 * row.covered:.1f} "
        f"| {100 * row.above:.1f} | {100 * below:.1f} | {row.width:.3f} "
        f"| {row.undefined or ''} | {inside} |"
    )


def main() -> None:
    """Print the table in Markdown: shares in per cent."""
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
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    with ProcessPoolExecutor(chosen.processes) as pool:
        each = partial(measure, studies=chosen.studies, repeats=chosen.repeats, seed=chosen.seed)
        for found in pool.map(each, scenarios):
            print("\n".join(map(line, found)), flush=True)
            rows += found
    inside = sum(LOWEST <= row.covered <= HIGHEST for row in rows)
    print(f"\n{inside} of {len(rows)} intervals cover between 93 % and 97 %", end=" ")
    print(f"({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
