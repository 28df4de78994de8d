import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mammography.preparation.journal import read_journal
from mammography.structures.annotation import read_annotations
from table_study import output_bytes, read_rows, write_rows, write_table_study

TOOL = Path(__file__).parents[2] / "tools" / "prepare_dataset.py"
TASKS = ["--tasks", "malignant:binary", "density:ordinal=A,B,C,D"]


def command(*arguments):
    return [sys.executable, str(TOOL), *map(str, arguments)]


def run(*arguments):
    """Run the tool in this process; return its exit code or message."""
    words = [str(word) for word in arguments]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prepare_dataset.py", *words])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(TOOL), run_name="__main__")
    return end.value.code


def journal_lines(out):
    return sum(path.read_bytes().count(b"\n") for path in (out / ".journal").glob("*.jsonl"))


def kill_after(lines, out, *arguments):
    """Start the tool and kill it and its workers at some moment after so many journal lines."""
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while journal_lines(out) < lines and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(np.random.default_rng().uniform(0, 0.03))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_kill_at_any_moment_redoes_nothing_and_loses_nothing(tmp_path):
    study = write_table_study(tmp_path / "source", images=40, size_hw=(900, 700))
    salt = tmp_path / "salt"
    salt.write_text("ab" * 32)
    whole, out = tmp_path / "whole" / "study", tmp_path / "killed" / "study"
    settings = ["table", "--root", study, *TASKS, "--salt-file", salt, "--out"]
    assert run(*settings, whole, "--workers", 1) == 0

    was_early = []
    for lines in (3, 12):
        kill_after(lines, out, *settings, out, "--workers", 2)
        was_early.append(not (out / "prepared.json").exists())
    assert any(was_early), "the tool was done before it was killed"
    entries, _ = read_journal(out / ".journal")
    finished = {
        f"{image_id}.png": (out / "images" / f"{image_id}.png").stat().st_mtime_ns
        for image_id in entries
    }
    assert len(finished) >= 12
    assert run(*settings, out, "--workers", 1) == 0
    assert output_bytes(out) == output_bytes(whole)
    after = {path.name: path.stat().st_mtime_ns for path in (out / "images").iterdir()}
    assert {name: after[name] for name in finished} == finished
    assert len(after) == 40


def test_rejected_images_give_exit_code_3_and_the_last_line_tells_where(tmp_path, capsys, caplog):
    study = write_table_study(tmp_path / "source", images=2)
    (study / "bad.dcm").write_text("no DICOM")
    rows = read_rows(study / "table.csv")
    write_rows(study / "table.csv", [*rows, rows[0] | {"path": "bad.dcm"}])
    out = tmp_path / "study"
    assert run("table", "--root", study, "--out", out, *TASKS, "--workers", 1) == 3
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[-1] == f"{out}: 2 prepared, 1 rejected: see {out / 'rejected.csv'}"
    assert "rejected: not a DICOM file: 1" in lines
    assert "image/s" in printed.err
    assert "left out, since a column may identify people: age, name" in caplog.text


def test_every_option_reaches_the_preparation(tmp_path):
    study = write_table_study(tmp_path / "source", images=4)
    out = tmp_path / "study"
    words = ["--size", "96x64", "--flip-to", "R", "--voi", "none", "--limit", 3, "--seed", 5]
    words += ["--splits", "train=0.5", "test=0.5", "--source-options", "clinical=age"]
    words += ["--allow-unknown-laterality", "--window-index", 1, "--workers", 1]
    assert run("table", "--root", study, "--out", out, *TASKS, *words) == 0
    done = json.loads((out / "prepared.json").read_text())
    assert done["preparation"] == done["preparation"] | {
        "size_hw": [96, 64],
        "flip_to": "R",
        "voi": "none",
        "window_index": 1,
        "require_laterality": False,
    }
    assert (done["seed"], done["limit"], done["splits"]) == (5, 3, {"train": 0.5, "test": 0.5})
    records = read_annotations(out / "annotations" / "all.json").records
    assert {(r.size_hw, r.geometry.flipped, len(r.clinic_vars)) for r in records} == {
        ((96, 64), True, 1)
    }


def test_a_dry_run_prints_json_writes_nothing_and_tells_refused_rows(tmp_path, capsys):
    study = write_table_study(tmp_path / "source", images=4)
    out = tmp_path / "out"
    wish = ["table", "--root", study, "--out", out, *TASKS, "--dry-run"]
    assert run(*wish) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["rows"], counts["images"], counts["patients"]) == (4, 4, 2)
    rows = read_rows(study / "table.csv")
    write_rows(study / "table.csv", [*rows, rows[0] | {"path": "x.dcm", "malignant": "?"}])
    assert run(*wish) == 1
    counts = json.loads(capsys.readouterr().out)
    assert (counts["rows"], counts["images"], counts["refused_rows"]) == (5, 4, 1)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tabel"], "source must be one of cbis_ddsm,"),
        (["table"], "source table: --root must be given"),
        (["table", "--root", "nowhere"], "--root must be a folder or a table, got nowhere"),
        (["table", "--root", ".", "--tasks", "x:y"], "must be name:kind"),
        (["table", "--root", ".", "--splits", "train=1", "test=1"], "add up to 1"),
        (["table", "--root", ".", "--size", "1792"], "--size must be HEIGHTxWIDTH, such as"),
        (["table", "--root", ".", "--source-options", "x"], "must be NAME=VALUE, got 'x'"),
        (["table", "--root", ".", "--spacing-mm", "-1"], "spacing_mm must be from 0.01 to 5.0"),
    ],
)
def test_a_wrong_wish_is_an_error_that_says_the_rule(tmp_path, arguments, message):
    code = run(*arguments, "--out", tmp_path / "out")
    assert code.startswith("error: ")
    assert message in code
    assert not (tmp_path / "out").exists()


def test_an_unknown_word_shows_the_usage(capsys):
    assert run("table", "--flip-to", "X") == 2
    assert "argument --flip-to: invalid Laterality value: 'X'" in capsys.readouterr().err
