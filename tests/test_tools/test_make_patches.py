"""The tool: its words, its errors, and kill -9 at any moment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mammography.preparation.patches.dataset import make_patches
from mammography.preparation.patches.options import PatchOptions
from phantoms import prepared_png_study
from prepared_source import edit_rows
from table_study import output_bytes

TOOL = Path(__file__).parents[2] / "tools" / "make_patches.py"
KILLS = 3


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return prepared_png_study(
        tmp_path_factory.mktemp("study") / "phantom", patients=16, size_hw=(192, 156)
    )


@pytest.fixture(scope="module")
def expected(source, tmp_path_factory):
    """The files of a run that nobody disturbs, in one process."""
    out = tmp_path_factory.mktemp("whole") / "set"
    make_patches(source, out, PatchOptions("S10", (32, 32)))
    return output_bytes(out)


def words(source, out, *more):
    return [sys.executable, TOOL, source, "--out", out, "--patch-size", "32", *more]


def run(source, out, *more):
    return subprocess.run(words(source, out, *more), capture_output=True, text=True)


def test_the_tool_writes_what_the_call_writes_and_says_so(source, expected, tmp_path):
    done = run(source, tmp_path / "set", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert output_bytes(tmp_path / "set") == expected
    patches = sum(name.startswith("images/") for name in expected)
    assert done.stdout.splitlines()[-1].endswith(f"set: {patches} patches, 0 images rejected")
    assert any(line.startswith("train: ") for line in done.stdout.splitlines())


def test_killed_at_random_moments_it_goes_on_and_ends_with_the_same_files(
    source, expected, tmp_path
):
    rng, kills, out = np.random.default_rng(0), 0, tmp_path / "set"
    for attempt in range(4 * KILLS):
        process = subprocess.Popen(
            words(source, out, "--workers", "2"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        before, deadline = written(out), time.monotonic() + 60
        while written(out) <= before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        if kills == KILLS:
            break
        if (out / "prepared.json").exists():
            out = tmp_path / str(attempt) / "set"
    assert kills == KILLS
    done = run(source, out)
    assert done.returncode == 0, done.stderr
    assert output_bytes(out) == expected


def written(out):
    """Count lines of the journal."""
    return sum(path.read_bytes().count(b"\n") for path in (out / ".journal").glob("*.jsonl"))


def test_a_source_without_findings_is_an_error_without_a_traceback(source, tmp_path):
    bare = tmp_path / "bare"
    (bare / "annotations").mkdir(parents=True)
    for path in (source / "annotations").glob("*.json"):
        (bare / "annotations" / path.name).write_bytes(path.read_bytes())
    edit_rows(bare, lambda row: {n: value for n, value in row.items() if n != "findings"})
    done = run(bare, tmp_path / "set")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "records must have findings (outlined lesions), got none in 64 images" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (["--set", "T"], "--set must be S or S with a number, got 'T'"),
        (["--splits", "train=0.5"], "shares must lie in [0, 1] and add up to 1"),
        (["--malignant-from", "density"], "must be a binary task (malignant), got density"),
    ],
)
def test_wrong_words_are_refused(word, message, source, tmp_path):
    done = run(source, tmp_path / "set", *word)
    assert done.returncode == 1
    assert message in done.stderr
