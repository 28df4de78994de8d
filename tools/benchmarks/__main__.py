"""Run the benchmarks: ``python -m tools.benchmarks [NAME ...]``."""

import argparse
import importlib
import os
import pkgutil

os.environ.setdefault("OMP_NUM_THREADS", "1")  # Before NumPy and torch are loaded.

import cv2
from tools import benchmarks
from tools.benchmarks.timing import HEADER, Ratio

_NO_BENCHMARKS = ("__main__", "timing", "mammograms", "coverage")


def names() -> list[str]:
    """Return the benchmarks: every module of this folder that has a function ``run``."""
    found = [module.name for module in pkgutil.iter_modules(benchmarks.__path__)]
    return sorted(set(found) - set(_NO_BENCHMARKS))


def main() -> None:
    """Run those named, or all, and say how many goals are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}")
    chosen = parser.parse_args().names or names()
    for name in chosen:
        if name not in names():
            parser.error(f"unknown benchmark {name}: must be one of {', '.join(names())}")
    cv2.setNumThreads(1)  # As in a worker; threads cost CPU time on either side.
    print(HEADER)
    ratios: list[Ratio] = []
    for name in chosen:
        for ratio in importlib.import_module(f"tools.benchmarks.{name}").run():
            print(ratio, flush=True)
            ratios.append(ratio)
    with_goal = [ratio for ratio in ratios if ratio.goal is not None]
    print(f"{sum(ratio.reached for ratio in with_goal)} of {len(with_goal)} goals reached")


if __name__ == "__main__":
    main()
