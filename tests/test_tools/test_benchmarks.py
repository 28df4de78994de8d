import os
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
    assert (ratio.ours, ratio.theirs, ratio.ratio) == pytest.approx((1000, 6000, 6))
    assert ratio.reached


def test_line_says_whether_the_goal_is_reached(timing):
    make = timing["Ratio"]
    assert str(make("x", 2.0, 9.0, 5.0)).split()[1:] == ["2.0", "9.0", "ms", "4.50", "5.00", "NO"]
    assert str(make("x", 2.0, 9.0, 4.0)).endswith("yes")
    assert str(make("x", 2.0, 9.0)).endswith("4.50")


def test_size_that_may_be_a_little_larger_reaches_its_goal(timing):
    make = timing["Ratio"]
    assert str(make("x", 1.02, 1.0, 1 / 1.03, "MiB")).split()[3:] == ["MiB", "0.98", "0.97", "yes"]
    assert not make("x", 1.04, 1.0, 1 / 1.03, "MiB").reached


def test_comparison_has_a_process_of_its_own(timing):
    assert timing["alone"](os.getpid) != os.getpid()
    with pytest.raises(ZeroDivisionError):
        timing["alone"](divmod, 1, 0)


IN_SMALL = """
import functools, sys
sys.path.insert(0, "tests")
from dicom_files import draw_breast
from tools.benchmarks import decode, memory, patches, png16, prepare, throughput

film = draw_breast((600, 400), noise=15)
for module in (decode, memory, patches, png16, prepare, throughput):
    module.alone = lambda function, *arguments: function(*arguments)
    for name, films in {"twelve_bit_mammogram": film, "twelve_bit_mammograms": [film]}.items():
        if hasattr(module, name):
            setattr(module, name, lambda films=films: films)
    if hasattr(module, "compare"):
        module.compare = functools.partial(module.compare, repeats=1)
    if hasattr(module, "GOALS"):
        module.GOALS = dict(list(module.GOALS.items())[:2])
patches.SIZE_HW, patches.IMAGES, patches.FIRST, patches.DRAWN = (320, 256), 4, 1, 2
patches.WORKERS = throughput.WORKERS = (1,)
throughput.IMAGES, throughput.FIRST = 4, 1
for module in (decode, memory, png16, prepare, patches, throughput):
    for line in module.run():
        print(line)
"""


def test_benchmarks_of_the_preparation_run():
    done = subprocess.run(
        [sys.executable, "-c", IN_SMALL],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 2 + 2 + 6 + 2 + 2 + 1
    assert sum("ms" in line.split() for line in lines) == 2 + 4 + 2 + 1
    assert float(lines[-3].split()[5]) > 0
    rate, memory = (float(lines[-1].split()[place]) for place in (7, 13))
    assert rate > 0
    assert memory > 20 or not Path("/proc/self/status").exists()


HEAT_MAPS = """
from tools.benchmarks import heat_maps

thin = {"stem_channels": 8, "base_channels": 8}
heat_maps.CASES = (("thin", thin, 64, (96, 64), 64, 16, 10.0),)
for line in heat_maps.run():
    print(line)
"""


def test_benchmark_of_heat_maps_runs():
    done = subprocess.run(
        [sys.executable, "-c", HEAT_MAPS], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("thin"))
    assert line.startswith("thin, 7 x 5 windows of 64 px every 16 ")
    assert line.split()[-2] == "10.00"


def test_unknown_benchmark_is_refused_with_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks", "nothing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    message = done.stderr.partition("unknown benchmark nothing: must be one of ")[2]
    assert {"decode", "memory", "patches", "png16", "prepare", "throughput"} <= set(
        message.strip().split(", ")
    )
    assert not {"timing", "mammograms", "__main__"} & set(message.strip().split(", "))


IN_SMALL_STATISTICS = """
import functools
from tools.benchmarks import statistics

statistics.IMAGES, statistics.CASES, statistics.REPEATS = 2000, 4000, 20
statistics.alone = lambda function: function()
statistics.compare = functools.partial(statistics.compare, repeats=1)
for line in statistics.run():
    print(line)
"""


def test_benchmarks_of_statistics_run():
    done = subprocess.run(
        [sys.executable, "-c", IN_SMALL_STATISTICS], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert sum(line.endswith("yes") for line in lines) == 4
