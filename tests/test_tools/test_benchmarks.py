import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def timing(monkeypatch):
    """Return the names of timing.py with a clock that moves only while a way runs."""
    names = runpy.run_path(str(ROOT / "tools/benchmarks/timing.py"))
    names["clock"] = [0.0]
    monkeypatch.setattr("time.process_time", lambda: names["clock"][0])
    return names


def way(timing, seconds, log, name):
    durations = iter(seconds)

    def run():
        log.append(name)
        timing["clock"][0] += next(durations)

    return run


def test_both_ways_take_turns_and_the_median_counts_without_the_first_run(timing):
    log = []
    ours = way(timing, [9, 1, 1, 7, 1, 1], log, "ours")
    theirs = way(timing, [0, 6, 5, 6, 6, 90], log, "theirs")
    ratio = timing["compare"]("x", ours, theirs, goal=6.0, repeats=5)
    assert log == ["ours", "theirs"] * 6
    assert (ratio.ours_ms, ratio.theirs_ms, ratio.ratio) == pytest.approx((1000, 6000, 6))
    assert ratio.reached


def test_line_says_whether_the_goal_is_reached(timing):
    make = timing["Ratio"]
    assert str(make("x", 2.0, 9.0, 5.0)).split()[1:] == ["2.0", "9.0", "4.50", "5.00", "NO"]
    assert str(make("x", 2.0, 9.0, 4.0)).endswith("yes")
    assert str(make("x", 2.0, 9.0)).endswith("4.50")


def test_unknown_benchmark_is_refused_with_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks", "nothing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    message = done.stderr.partition("unknown benchmark nothing: must be one of ")[2]
    assert {"decode", "prepare"} <= set(message.strip().split(", "))
    assert not {"timing", "mammograms", "__main__"} & set(message.strip().split(", "))
