import runpy
import subprocess
import sys
from pathlib import Path

import pytest

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
        "import sys, mammography.reports.run_report; "
        "sys.exit(bool({'torch', 'mmengine', 'mmpretrain'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
