import json
from pathlib import Path

from mammography.preparation.checks.problem import Problem
from mammography.preparation.checks.report import CheckReport

PART = {
    "images": 4,
    "patients": 2,
    "exams": 2,
    "findings": 1,
    "laterality": {"L": 3, "R": 1},
    "view_position": {"CC": 4},
    "manufacturer": {"Maker": 4},
    "labels": {"malignant": {"0": 3, "1": 1, "missing": 0}, "size_mm": {"images": 2, "max": 9.5}},
}
FEW = PART | {"images": 1, "laterality": {"R": 1}, "manufacturer": {"Other": 1}}


def test_counts_stand_in_one_column_per_split():
    text = str(CheckReport(Path("dataset/x"), {"all": PART, "test": FEW}, []))
    rows = {tuple(line.split()[:-2]): line.split()[-2:] for line in text.splitlines()[1:-1] if line}
    assert text.splitlines()[0].split() == ["all", "test"]
    assert rows["images",] == ["4", "1"]
    assert rows["laterality", "L"] == ["3", "0"]
    assert rows["manufacturer", "Other"] == ["0", "1"]
    assert rows["malignant", "1"] == ["1", "1"]
    assert rows["size_mm", "max"] == ["9.5", "9.5"]
    assert text.splitlines()[-1] == "dataset/x: 0 errors, 0 warnings"


def test_errors_and_warnings_stand_apart_and_long_lists_are_cut():
    problems = [Problem("images", f"images/{i}.png", "is missing") for i in range(14)]
    problems.append(Problem("laterality", "i1", "is odd", is_error=False))
    report = CheckReport(Path("x"), {}, problems)
    lines = str(report).splitlines()
    assert lines[:3] == ["errors:", "  images: 14", "    images/0.png: is missing"]
    assert lines[12] == "    and 4 more, which --json lists"
    assert lines[14:17] == ["warnings:", "  laterality: 1", "    i1: is odd"]
    assert lines[-1] == "x: 14 errors, 1 warnings"
    content = json.loads(json.dumps(report.to_json()))
    assert (len(content["errors"]), len(content["warnings"])) == (14, 1)
    assert content["errors"][13]["where"] == "images/13.png"


def test_warnings_alone_are_no_failure():
    warning = Problem("labels", "split val", "x", is_error=False)
    assert CheckReport(Path("x"), {}, [warning]).exit_code == 0
    assert CheckReport(Path("x"), {}, [Problem("labels", "x", "y")]).exit_code == 1
