import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from invented_evidence import write_invented
from mammography.structures.prediction import read_dump, write_dump

TOOL = Path(__file__).parents[2] / "tools" / "report.py"


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", [str(TOOL), *map(str, arguments)])
    runpy.run_path(str(TOOL), run_name="__main__")


def test_the_tool_writes_the_page_into_the_run_and_says_where(tmp_path, monkeypatch, capsys):
    run(monkeypatch, tmp_path)
    assert (tmp_path / "report.html").is_file()
    assert str(tmp_path / "report.html") in capsys.readouterr().out


def test_the_tool_says_in_one_line_what_is_wrong(tmp_path, monkeypatch):
    with pytest.raises(SystemExit, match="is not a folder"):
        run(monkeypatch, tmp_path / "absent")


def test_the_report_floor_does_without_torch():
    code = (
        "import sys, mammography.reports.run_report, mammography.reports.evidence.write; "
        "sys.exit(bool({'torch', 'mmengine', 'mmpretrain'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_dumps_become_evidence_in_a_folder(tmp_path, monkeypatch, capsys):
    dumps = write_invented(tmp_path, patients=90).dumps
    out = tmp_path / "evidence"
    choices = ["--threshold", "0.1", "--repeats", "100", "--names", "new", "old"]
    choices += ["--reference", "2", "--level", "patient", "--pooling", "max"]
    run(monkeypatch, *dumps, "--out", out, *choices)
    assert str(out / "evidence.html") in capsys.readouterr().out
    text = (out / "evidence.md").read_text()
    assert "# Evidence: malignant: new, old" in text
    assert "one patient; its score is the highest score of its images" in text
    assert "Difference to old" in text


def test_evidence_needs_a_folder_to_go_to(tmp_path, monkeypatch, capsys):
    dumps = write_invented(tmp_path, patients=5).dumps
    with pytest.raises(SystemExit):
        run(monkeypatch, *dumps)
    assert "--out DIR must name the folder" in capsys.readouterr().err


def test_a_dump_that_cannot_be_used_is_told_in_one_line(tmp_path, monkeypatch):
    dumps = write_invented(tmp_path, patients=5).dumps
    with pytest.raises(SystemExit, match="got benign"):
        run(monkeypatch, *dumps, "--out", tmp_path / "out", "--task", "benign")
    with pytest.raises(SystemExit, match="No such file"):
        run(monkeypatch, tmp_path / "absent.json", "--out", tmp_path / "out")
    with pytest.raises(SystemExit, match="repeats must be at least 100"):
        run(monkeypatch, *dumps, "--out", tmp_path / "out", "--repeats", "3")


def test_several_runs_stand_for_their_predictions(tmp_path, monkeypatch, capsys):
    runs = [tmp_path / "a", tmp_path / "b"]
    for folder, dump in zip(runs, write_invented(tmp_path, patients=60).dumps, strict=True):
        write_dump(folder / "test" / "predictions.json", read_dump(dump))
    out = tmp_path / "out"
    run(monkeypatch, *runs, "--out", out, "--repeats", "100", "--threshold", "0.1")
    assert "# Evidence: malignant: model_a, model_b" in (out / "evidence.md").read_text()
