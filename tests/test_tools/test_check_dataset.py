import json
import runpy
import sys
from pathlib import Path

import pytest

from prepared_source import rows_of, write_prepared_source

TOOL = Path(__file__).parents[2] / "tools" / "check_dataset.py"


def run(*arguments):
    """Run the tool in this process; return its exit code or message."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["check_dataset.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(TOOL), run_name="__main__")
    return end.value.code


def test_the_exit_code_tells_whether_there_is_an_error(tmp_path, capsys):
    root = write_prepared_source(tmp_path)
    assert run(root, "--workers", 1) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{root}: 0 errors, 0 warnings"

    missing = rows_of(root)[0]["img_path"]
    (root / missing).unlink()
    (root / "images" / "old.png").write_bytes(b"")
    found = tmp_path / "out" / "found.json"
    assert run(root, "--workers", 1, "--json", found) == 1
    assert f"    {missing}: is missing" in capsys.readouterr().out.splitlines()
    content = json.loads(found.read_text())
    assert [problem["where"] for problem in content["errors"]] == [missing]
    assert [problem["where"] for problem in content["warnings"]] == ["images/old.png"]
    assert content["counts"]["all"]["images"] == 24


def test_a_folder_that_is_no_source_and_no_worker_are_errors_with_their_rule(tmp_path):
    message = run(tmp_path / "absent")
    assert message.startswith("error: ")
    assert "must be a prepared source with a folder annotations" in message
    root = write_prepared_source(tmp_path)
    assert "--workers must be at least 1, got 0" in run(root, "--workers", 0)
