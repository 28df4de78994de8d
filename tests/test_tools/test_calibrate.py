"""The commands that ask dumps how sure a model may be."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump
from mammography.structures.task import Task

TOOLS = Path(__file__).parents[2] / "tools"


def tool(name):
    spec = importlib.util.spec_from_file_location(f"tools_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def dumps(tmp_path):
    rng = np.random.default_rng(0)
    paths = []
    for name in ("val", "test"):
        p = rng.random(200)
        rows = [
            PredictionRecord(
                img_path=f"{name}{i}.png",
                patient_id=f"{name}{i // 2}",
                gt_label={"malignant": float(rng.random() < p[i])},
                pred_score={"malignant": float(p[i])},
            )
            for i in range(200)
        ]
        paths.append(str(tmp_path / f"{name}.json"))
        write_dump(paths[-1], Dump({"malignant": Task.parse("malignant:binary")}, tuple(rows)))
    return paths


def test_a_dump_is_calibrated_and_compared_from_the_command_line(dumps, tmp_path, capsys):
    out = str(tmp_path / "calibrated.json")
    tool("calibrate").main([*dumps, "--out", out, "--alpha", "0.2", "--by-class"])
    assert "malignant: temperature" in capsys.readouterr().out
    assert all(row.pred_set for row in read_dump(out).records)
    tool("compare_uncertainty").main([dumps[1], out, "--task", "malignant"])
    assert "nll_minus_first" in capsys.readouterr().out


def test_what_cannot_be_done_ends_with_its_reason(dumps, tmp_path):
    with pytest.raises(SystemExit, match=r"calibrate.py: .* share no patient, got 100 in both"):
        tool("calibrate").main([dumps[0], dumps[0], "--out", str(tmp_path / "x.json")])
    with pytest.raises(SystemExit, match=r"compare_uncertainty\.py: coverage must lie"):
        tool("compare_uncertainty").main([*dumps, "--task", "malignant", "--coverage", "2"])
