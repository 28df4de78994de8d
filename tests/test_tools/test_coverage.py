"""The simulation of coverage counts right, and gives the same with any number of processes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

COUNT = """
import sys
sys.path.insert(0, ".")
from tools.benchmarks.coverage.scenario import Scenario, measure

def draw(rng, repeats):
    # Of a mean of nine standard normal values: the interval of two thirds covers 95.4 %.
    mean = rng.normal(size=9).mean()
    return {("mean", "plain"): (mean - 2 / 3, mean + 2 / 3), ("mean", "none"): (mean, float("nan"))}

nine = Scenario("nine", lambda: {"mean": 0.0}, draw, {"mean": "plain"})

plain, none = measure(nine, 4000, 0, 0)
assert plain.use and not none.use
print(plain.covered, plain.above, plain.width, plain.undefined, none.undefined)
"""


def run(*command):
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_intervals_are_counted_that_hold_the_truth_and_that_are_none():
    covered, above, width, undefined, none = map(float, run("-W", "ignore", "-c", COUNT).split())
    assert covered == pytest.approx(0.9545, abs=0.012)
    assert above == pytest.approx(0.0228, abs=0.008)
    assert width == pytest.approx(4 / 3)
    assert (undefined, none) == (0, 4000)


def test_the_table_has_a_row_per_interval_and_does_not_depend_on_the_processes():
    command = ("-m", "tools.benchmarks.coverage", "--studies", "4", "--only", "two readers")
    one, two = run(*command), run(*command, "--processes", "2")
    assert one == two
    to_report, others = one.split("## Other intervals")
    rows = [
        [line for line in part.splitlines() if line.startswith("| two readers")]
        for part in (to_report, others)
    ]
    # Three weights in three designs; taking alike images for independent is not to be reported.
    assert list(map(len, rows)) == [3 * 3, 3]
    cells = [line.split("|")[4:7] for part in rows for line in part]
    shares = np.array(cells, dtype=float)
    np.testing.assert_allclose(shares.sum(axis=1), 100, atol=0.2)
