import json
import runpy
import sys
from pathlib import Path

import joblib
import pytest

from mammography.structures.annotation import read_annotations
from table_study import read_rows, write_rows, write_table_study

TOOL = Path(__file__).parents[2] / "tools" / "prepare_dataset.py"
TASKS = ["--tasks", "malignant:binary", "density:ordinal=A,B,C,D"]


def run(*arguments):
    """Run the tool in this process; return its exit code or message."""
    words = [str(word) for word in arguments]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["prepare_dataset.py", *words])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(TOOL), run_name="__main__")
    return end.value.code


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


def test_a_part_is_prepared_and_the_next_call_merges(tmp_path, capsys):
    study = write_table_study(tmp_path / "source", images=5)
    words = ["table", "--root", study, "--out", tmp_path / "study", *TASKS, "--cache", "npy"]
    assert run(*words, "--shard", "2/2", "--workers", 1) == 0
    assert f"{tmp_path / 'study'}: shard 2/2: 2 prepared, 0 rejected" in capsys.readouterr().out
    assert run(*words, "--workers", 1) == 0
    assert "cached as npy: 5 images" in capsys.readouterr().out
    done = json.loads((tmp_path / "study" / "prepared.json").read_text())
    assert (done["reused_images"], done["timings"]["images"]) == (2, 3)


def test_by_default_there_is_a_process_per_core_that_may_be_used(monkeypatch):
    tool = runpy.run_path(str(TOOL))
    monkeypatch.setattr(joblib, "cpu_count", lambda: 5)
    assert (tool["_workers"](None, None), tool["_workers"](3, None)) == (5, 3)
    assert tool["_workers"](None, "tcp://host:8786") == 0


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
        (["table", "--root", ".", "--workers", "0"], "--workers must be at least 1, got 0"),
        (["table", "--root", ".", "--shard", "5/4"], "--shard must be I/N with I from 1 to N, got"),
        (["phantom", "--dry-run", "--shard", "1/2"], "--shard must not be given with --dry-run"),
        (["phantom", "--dry-run", "--cache", "npy"], "--cache must not be given with --dry-run"),
        (
            ["phantom", "--scheduler", "tcp://h:1", "--workers", "2"],
            "--workers must not be given with --scheduler, got 2: the cluster has workers",
        ),
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
