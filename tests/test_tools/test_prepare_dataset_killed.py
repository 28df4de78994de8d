"""kill -9 at any moment, then the same command: nothing is lost, and nothing is done again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mammography.preparation.work.journal import read_journal
from table_study import output_bytes, write_table_study

TOOL = Path(__file__).parents[2] / "tools" / "prepare_dataset.py"
IMAGES, KILLS = 48, 10


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    study = write_table_study(folder / "source", images=IMAGES, size_hw=(900, 700))
    (folder / "salt").write_text("ab" * 32)
    tasks = ["--tasks", "malignant:binary", "density:ordinal=A,B,C,D"]
    return ["table", "--root", study, *tasks, "--salt-file", folder / "salt", "--cache", "blosc"]


@pytest.fixture(scope="module")
def uninterrupted(settings, tmp_path_factory):
    """Every output of a call that nobody disturbs."""
    out = tmp_path_factory.mktemp("whole") / "study"
    process = start(settings, out)
    assert process.wait(timeout=120) == 0
    return output_bytes(out)


def start(settings, out):
    words = [sys.executable, TOOL, *settings, "--out", out, "--workers", 2]
    return subprocess.Popen(
        list(map(str, words)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def journal_files(out):
    return list((out / ".journal").glob("*.jsonl"))


def journal_lines(out):
    return sum(path.read_bytes().count(b"\n") for path in journal_files(out))


def png_time(out, image_id):
    return (out / "images" / f"{image_id}.png").stat().st_mtime_ns


def kill_after(lines, pause_s, settings, out):
    """Start the tool; kill it and its workers a while after the journal has so many lines."""
    process = start(settings, out)
    deadline = time.monotonic() + 60
    while journal_lines(out) < lines and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(pause_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_ten_kills_at_random_moments_change_no_byte(settings, uninterrupted, tmp_path):
    out, rng = tmp_path / "study", np.random.default_rng(0)
    was_early, finished = 0, {}
    for number in range(KILLS):
        is_late = number >= KILLS - 3  # When all images are done: the cache, the annotations.
        lines = IMAGES if is_late else journal_lines(out) + rng.integers(0, 5)
        pause_s = rng.uniform(0, 1.2 if is_late or number == 0 else 0.05)
        kill_after(lines, pause_s, settings, out)
        was_early += not (out / "prepared.json").exists()
        for image_id in read_journal(out / ".journal")[0]:
            finished.setdefault(image_id, png_time(out, image_id))
    assert was_early >= KILLS - 3, "the tool was done before it was killed"
    assert start(settings, out).wait(timeout=120) == 0
    assert output_bytes(out) == uninterrupted
    assert {image_id: png_time(out, image_id) for image_id in finished} == finished


def test_workers_that_are_killed_at_random_moments_cost_no_image(settings, uninterrupted, tmp_path):
    out, rng = tmp_path / "study", np.random.default_rng(1)
    process = start(settings, out)
    killed = set()
    for lines in (4, 16, 28):
        while journal_lines(out) < lines and process.poll() is None:
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.05))
        # The newest journal is that of a worker that is alive: host-PROCESS-token.jsonl.
        newest = max(journal_files(out), key=lambda path: path.stat().st_mtime_ns)
        pid = int(newest.stem.rsplit("-", 2)[1])
        assert pid != process.pid
        os.kill(pid, signal.SIGKILL)
        killed.add(pid)
    assert process.wait(timeout=120) == 0
    assert len(killed) == 3
    assert output_bytes(out) == uninterrupted
