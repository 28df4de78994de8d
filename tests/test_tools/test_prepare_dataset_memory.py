"""Memory stays flat while images are prepared, however many there are."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from table_study import read_rows, write_rows, write_table_study

TOOL = Path(__file__).parents[2] / "tools" / "prepare_dataset.py"
IMAGES, FILES = 10_000, 50
MOST_GROWTH_MB = 8.0  # Less than a kilobyte per image: pixels of one take twenty.


@pytest.fixture
def large_study(tmp_path):
    """Ten thousand small images: fifty files under many names."""
    study = write_table_study(tmp_path / "source", images=FILES, size_hw=(120, 80))
    rows = read_rows(study / "table.csv")
    for number in range(FILES, IMAGES):
        row = rows[number % FILES] | {"path": f"scans/{number}.dcm", "patient_id": f"p{number}"}
        os.link(study / rows[number % FILES]["path"], study / row["path"])
        rows.append(row)
    write_rows(study / "table.csv", rows)
    return study


def resident_mb(pid):
    """Memory of a process now; nothing of one that has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    lines = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(lines[0].split()[1]) / 1024 if lines else None


def grown_mb(samples):
    """How much a process grew from its first fifth on: medians, as images differ."""
    fifth = len(samples) // 5
    return float(np.median(samples[-fifth:]) - np.median(samples[fifth : 2 * fifth]))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_workers_do_not_grow_over_ten_thousand_images(large_study, tmp_path, capsys):
    out = tmp_path / "study"
    words = [TOOL, "table", "--root", large_study, "--out", out, "--tasks", "malignant:binary"]
    process = subprocess.Popen(
        [sys.executable, *map(str, words), "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    samples, peak_mb = {process.pid: []}, 0.0
    while process.poll() is None:
        for path in (out / ".journal").glob("*.jsonl"):
            samples.setdefault(int(path.stem.rsplit("-", 2)[1]), [])
        now = {pid: resident_mb(pid) for pid in samples}
        peak_mb = max(peak_mb, now[process.pid] or 0)
        is_working = len(samples) > 1 and len(list((out / "images").iterdir())) < IMAGES
        for pid, memory in now.items():
            if memory and is_working:
                samples[pid].append(memory)
        time.sleep(0.1)
    assert process.returncode == 0
    assert len(list((out / "images").iterdir())) == IMAGES
    assert len(samples) == 3
    with capsys.disabled():
        for pid, memory in samples.items():
            name = "itself" if pid == process.pid else "worker"
            told = f"{grown_mb(memory):+.1f} MB, at most {max(memory):.0f} MB"
            print(f"\n{name} over {IMAGES} images: {told}")  # noqa: T201 - figures to record
        print(f"\nitself at the end: {peak_mb:.0f} MB")  # noqa: T201
    assert all(grown_mb(memory) < MOST_GROWTH_MB for memory in samples.values())
