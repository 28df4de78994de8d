import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mammography.structures.prediction import read_dump
from prepared_study import write_config, write_study

TOOLS = Path(__file__).parents[2] / "tools"


def tool(name):
    spec = importlib.util.spec_from_file_location(f"tools_{name}", TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*command, cwd):
    environment = os.environ | {"PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """A repository with a prepared study and a config."""
    folder = tmp_path_factory.mktemp("repository")
    write_study(folder)
    write_config(folder)
    return folder


@pytest.fixture(scope="module")
def trained(root, tmp_path_factory):
    """The output of a training that was started in another folder."""
    config = root / "configs" / "multi_task" / "small.py"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = run(sys.executable, TOOLS / "train.py", config, "--tensorboard", cwd=elsewhere)
    assert not list(elsewhere.iterdir())
    return done


def test_training_leaves_checkpoints_curves_and_a_report(trained, root):
    run_dir = root / "work_dirs" / "small"
    assert (run_dir / "epoch_2.pth").exists()
    assert (run_dir / "report.html").exists()
    assert len(list(run_dir.rglob("events.out.tfevents.*"))) == 1
    rows = [json.loads(x) for x in next(run_dir.rglob("scalars.json")).read_text().splitlines()]
    assert {"malignant/roc_auc", "mean/roc_auc"} <= set(rows[-1])


def test_the_console_stays_readable(trained):
    said = trained.stdout + trained.stderr
    assert "Epoch(val) [2]" in said
    assert "warn" not in said.lower()
    assert len(said.splitlines()) < 25


def test_testing_writes_metrics_predictions_and_features(trained, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [
        str(root / "configs/multi_task/small.py"),
        str(root / "work_dirs/small/epoch_2.pth"),
    ]
    main = tool("test").main
    main([*arguments, "--out", "features.npz", "--out-item", "feature"])
    metrics = json.loads((root / "work_dirs/small/test/metrics.json").read_text())
    assert set(metrics["tasks"]) == {"malignant", "density", "mass_size_mm", "mean"}
    assert metrics["info"]["checkpoint"] == "epoch_2.pth"
    predictions = read_dump(root / "work_dirs/small/test/predictions.json").records
    assert metrics["tasks"]["malignant"]["n"] == len(predictions) == 8
    assert (root / "dataset/phantom" / predictions[0].img_path).exists()
    features = np.load("features.npz")
    assert features["features"].shape == (8, 64)
    assert features["image_id"].tolist() == [row.image_id for row in predictions]
    assert {row.split for row in predictions} == {"test"}

    main([*arguments, "--tta", "--no-report", "--out", "mirrored.json", "--show-dir", "pictures"])
    mirrored = read_dump("mirrored.json").records
    assert {p.stem for p in Path("pictures").iterdir()} == {row.image_id for row in mirrored}
    main([*arguments, "--amp", "--no-report", "--out", "m.json", "--out-item", "metrics"])
    assert json.loads(Path("m.json").read_text())["info"]["amp"] is True
    for plain, other in zip(predictions, mirrored, strict=True):
        assert plain.image_id == other.image_id
        difference = plain.pred_score["malignant"] - other.pred_score["malignant"]
        assert 0 < abs(difference) < 0.2


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("train", ["configs/nothing.py"], "train.py: config configs/nothing.py does not exist"),
        ("train", ["{config}", "--cfg-options", "datroot=x"], "must begin with a key"),
        ("test", ["{config}", "gone.pth"], "test.py: checkpoint gone.pth does not exist"),
    ],
)
def test_a_wrong_command_line_ends_with_one_line(root, name, arguments, message):
    config = str(root / "configs/multi_task/small.py")
    with pytest.raises(SystemExit) as ended:
        tool(name).main([argument.format(config=config) for argument in arguments])
    assert message in str(ended.value)
    assert "\n" not in str(ended.value)


def test_the_command_lines_of_the_published_system_are_understood():
    options = ["--work-dir", "w", "--amp", "--cfg-options", "train_dataloader.batch_size=8"]
    options += ["--launcher", "none", "--no-pin-memory"]
    parsed = (
        tool("train")
        .build_parser()
        .parse_args(
            [
                "c.py",
                "--resume",
                "--no-validate",
                "--auto-scale-lr",
                "--no-persistent-workers",
                *options,
            ]
        )
    )
    assert (parsed.resume, parsed.validate, parsed.persistent_workers) == ("auto", False, False)
    assert parsed.cfg_options == {"train_dataloader.batch_size": 8}
    parsed = (
        tool("test")
        .build_parser()
        .parse_args(
            ["c.py", "w.pth", "--out", "o.json", "--out-item", "metrics", "--tta", *options]
        )
    )
    assert (parsed.out, parsed.out_item, parsed.tta) == ("o.json", "metrics", True)


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("slurm_train.sh", ["part", "job", "c.py", "--amp"]),
        ("slurm_test.sh", ["part", "job", "c.py", "w.pth", "--tta"]),
    ],
)
def test_slurm_starts_the_tool_from_any_folder(tmp_path, script, arguments):
    fake = tmp_path / "srun"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = {"PATH": path, "PYTHON": "python", "GPUS": "2", "SRUN_ARGS": "--quotatype=auto"}
    command = [TOOLS / script, *arguments]
    out = subprocess.check_output(command, cwd=tmp_path, env=environment, text=True).splitlines()
    assert {"--partition=part", "--job-name=job", "--gres=gpu:2", "--ntasks=2"} <= set(out)
    name = script.removeprefix("slurm_").replace(".sh", ".py")
    assert "--quotatype=auto" in out
    assert out[out.index("python") :] == [
        "python", "-u", str(TOOLS / name), *arguments[2:], "--launcher", "slurm",
    ]  # fmt: skip


@pytest.mark.slow
def test_two_processes_train_resume_and_test_in_bfloat16(root, tmp_path):
    config, run_dir = root / "configs/multi_task/small.py", tmp_path / "run"
    shared = ["--amp", "--work-dir", run_dir]
    run(TOOLS / "dist_train.sh", config, "2", *shared, cwd=tmp_path)
    more = ["--resume", "--cfg-options", "train_cfg.max_epochs=3"]
    run(TOOLS / "dist_train.sh", config, "2", *shared, *more, cwd=tmp_path)
    assert sorted(p.name for p in run_dir.glob("*.pth")) == ["epoch_2.pth", "epoch_3.pth"]
    assert (run_dir / "report.html").exists()  # the second process does not wait for it
    run(TOOLS / "dist_test.sh", config, run_dir / "epoch_3.pth", "2", *shared, cwd=tmp_path)
    metrics = json.loads((run_dir / "test/metrics.json").read_text())
    assert metrics["tasks"]["malignant"]["n"] == 8
    assert metrics["info"]["amp"] is True
