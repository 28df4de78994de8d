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
    """Start the tool; kill it and its workers a while after the journal has so many lines.

    Returns whether it was killed before it was done by itself.
    """
    process = start(settings, out)
    deadline = time.monotonic() + 60
    while journal_lines(out) < lines and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(pause_s)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_ten_kills_at_random_moments_change_no_byte(settings, uninterrupted, tmp_path):
    """On a busy machine a call may be done before it is killed: the next one begins anew."""
    rng, kills, studies = np.random.default_rng(0), 0, [tmp_path / "0" / "study"]
    finished = {}
    for attempt in range(4 * KILLS):
        out = studies[-1]
        is_late = kills >= KILLS - 3  # When all images are done: the cache, the annotations.
        begun = journal_lines(out)
        lines = IMAGES if is_late else min(begun + rng.integers(0, 5), IMAGES)
        pause_s = rng.uniform(0, 1.2 if is_late or not begun else 0.05)
        kills += kill_after(lines, pause_s, settings, out)
        for image_id in read_journal(out / ".journal")[0]:
            finished.setdefault((out, image_id), png_time(out, image_id))
        if kills == KILLS:
            break
        if (out / "prepared.json").exists():
            studies.append(tmp_path / str(attempt + 1) / "study")
    assert kills == KILLS
    for out in studies:
        assert start(settings, out).wait(timeout=120) == 0
        assert output_bytes(out) == uninterrupted
    assert {(out, image_id): png_time(out, image_id) for out, image_id in finished} == finished


def kill_a_worker(process, out, killed):
    """Kill the worker that wrote last; return whether there was one that is not dead yet."""
    while process.poll() is None:
        # host-PROCESS-token.jsonl
        by_age = sorted(journal_files(out), key=lambda path: path.stat().st_mtime_ns)
        alive = [int(path.stem.rsplit("-", 2)[1]) for path in by_age]
        alive = [pid for pid in alive if pid not in killed]
        if alive:
            assert process.pid not in alive
            os.kill(alive[-1], signal.SIGKILL)
            killed.add(alive[-1])
            return True
        time.sleep(0.002)
    return False


def test_workers_that_are_killed_at_random_moments_cost_no_image(settings, uninterrupted, tmp_path):
    rng = np.random.default_rng(1)
    for attempt in range(4):  # A busy machine may be done before the third kill.
        out, killed = tmp_path / str(attempt) / "study", set()
        process = start(settings, out)
        for lines in (4, 16, 28):
            while journal_lines(out) < lines and process.poll() is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.05))
            kill_a_worker(process, out, killed)
        assert process.wait(timeout=120) == 0
        assert output_bytes(out) == uninterrupted
        if len(killed) == 3:
            return
    pytest.fail("the tool was always done before three of its workers were killed")
