"""A small study as the tool runs it: trained, tested, and every number computed again."""

import csv
import importlib.util
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from domain_study_case import write_study
from mammography.functional.delong import area_interval, compare_areas, roc_areas
from mammography.functional.png16 import decode_png16
from mammography.structures.annotation import read_annotations
from mammography.structures.prediction import read_dump

TOOL = Path(__file__).parents[3] / "tools" / "run_domain_study.py"


def run(*arguments):
    spec = importlib.util.spec_from_file_location("tools_run_domain_study", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The repository with the finished study."""
    folder = tmp_path_factory.mktemp("repository")
    study = write_study(
        folder,
        patients=100,
        models={
            "plain": {"config": "configs/small.py"},
            "tuned": {
                "config": "configs/small.py",
                "sources": ["far"],
                "start": {"model": "plain", "source": "near"},
                "statistics": ["running"],
            },
        },
        statistics={
            "running": None,
            "batch": {"statistics": "batch"},
            "target": {"statistics": "target", "images": "adapt"},
        },
        options={"train_cfg.max_epochs": 2},
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run(study, "--work-dir", "w", "--tensorboard") == 0
    return folder


@pytest.fixture(scope="module")
def table(root):
    with (root / "w/table.csv").open() as file:
        return {
            (row["model"], row["target"], row["statistics"]): row for row in csv.DictReader(file)
        }


def cell(root, model, target, statistics):
    (path,) = (root / "w/cells").glob(f"{model}-*/{target}/{statistics}")
    return path


def breasts(root, *names):
    """Labels and scores of breasts, by pandas."""
    rows = read_dump(cell(root, *names) / "test/predictions.json").records
    table = pd.DataFrame(
        {
            "breast": f"{row.patient_id} {row.laterality}",
            "label": row.gt_label["malignant"],
            "score": row.pred_score["malignant"],
        }
        for row in rows
    )
    return table.groupby("breast").agg({"label": "max", "score": "mean"}).to_numpy().T


FINISHED = [
    *(("plain", t, s) for t in ("near", "far") for s in ("running", "batch", "target")),
    *(("tuned", t, "running") for t in ("near", "far")),
]


@pytest.mark.parametrize("names", FINISHED)
def test_the_table_holds_what_scikit_learn_makes_of_the_predictions(root, table, names):
    labels, scores = breasts(root, *names)
    precision, recall, _ = precision_recall_curve(labels, scores)
    row = table[names]
    assert int(row["n"]) == len(labels) == 50
    assert int(row["positives"]) == labels.sum() >= 10
    assert float(row["roc_auc"]) == pytest.approx(roc_auc_score(labels, scores))
    assert float(row["pr_auc"]) == pytest.approx(auc(recall, precision))
    assert float(row["average_precision"]) == pytest.approx(average_precision_score(labels, scores))
    if float(row["roc_auc"]) != 1:
        found = roc_areas(labels, scores)
        low, high = area_interval(found.areas[0], found.covariance[0, 0])
        assert float(row["roc_auc_delong_low"]) == pytest.approx(low)
        assert float(row["roc_auc_delong_high"]) == pytest.approx(high)
    assert row["at_home"] == str(int((names[0], names[1]) in {("plain", "near"), ("tuned", "far")}))


def test_statistics_are_compared_with_running_on_the_same_breasts(root, table):
    labels, running = breasts(root, "plain", "far", "running")
    for statistics in ("batch", "target"):
        same, scores = breasts(root, "plain", "far", statistics)
        np.testing.assert_array_equal(same, labels)
        test = compare_areas(roc_areas(labels, scores, running))
        row = table["plain", "far", statistics]
        assert float(row["roc_auc_difference"]) == pytest.approx(test.difference)
        assert float(row["p"]) == pytest.approx(test.p_value)
        assert float(row["p_holm"]) >= float(row["p"])


@pytest.mark.parametrize(
    ("model", "target"), [("plain", "near"), ("plain", "far"), ("tuned", "far")]
)
def test_a_cell_holds_what_its_weights_say_of_the_test_images_of_its_target(root, model, target):
    folder = cell(root, model, target, "running")
    init_default_scope("mmpretrain")
    network = MODELS.build(Config.fromfile(folder / "cell.py").model).eval()
    (weights,) = (root / "w/models").glob(f"{model}-*/epoch_2.pth")
    network.load_state_dict(torch.load(weights, weights_only=False)["state_dict"])
    annotations = read_annotations(root / f"dataset/{target}/annotations/test.json")
    rows = read_dump(folder / "test/predictions.json").records
    assert [row.image_id for row in rows] == [record.image_id for record in annotations.records]
    for row in rows[:10]:
        pixels = decode_png16((root / f"dataset/{target}" / row.img_path).read_bytes())
        inputs = (torch.tensor(pixels / 65535, dtype=torch.float32)[None, None] - 0.5) / 0.5
        with torch.no_grad():
            score = torch.sigmoid(
                network.head.layers["malignant"](network.extract_feat(inputs)[-1])
            )
        assert row.pred_score["malignant"] == pytest.approx(score.item(), abs=1e-5)


def test_the_statistics_of_the_batch_norms_make_a_difference(root):
    scores = [breasts(root, "plain", "far", s)[1] for s in ("running", "batch", "target")]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(scores[one] - scores[other]).max() > 0.01


def test_target_statistics_come_from_the_images_of_the_adapt_file(root):
    said = next(cell(root, "plain", "far", "target").rglob("*.log")).read_text()
    assert "measured on 200 images" in said  # of 50 patients for training


def test_a_fine_tuned_model_starts_from_the_weights_of_the_other(root):
    (log,) = (root / "w/models").glob("tuned-*/*/*.log")
    assert re.search(
        r"LoadPretrainedHook: .* <- .*/plain-near-.*epoch_2.pth: 9 of 9", log.read_text()
    )


def test_curves_for_tensorboard_are_written(root):
    assert list((root / "w/models").glob("plain-*/**/events.out.tfevents.*"))


def test_the_report_shows_the_study(root):
    page = (root / "w/report.html").read_text()
    assert not re.search(r"https?:|<script|<link", page)
    for what in ("plain", "tuned", "ROC: models, running statistics, on far", "small.py"):
        assert what in page
    markdown = (root / "w/table.md").read_text()
    assert "| model | trained on | statistics | on near | on far |" in markdown


def test_nothing_of_it_is_done_again(root, monkeypatch, capsys):
    monkeypatch.chdir(root)
    folder = root / "w"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("predictions.json")}
    assert run("small_study.py", "--work-dir", "w") == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("predictions.json")} == before
    assert len(before) == len(FINISHED)
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said] == ["8 of 8 cells are finished already", "Results"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.py"], r"^run_domain_study\.py: study gone\.py does not exist$"),
        (["small_study.py", "--only", "x"], r"--only must be one of plain, tuned, got 'x'"),
        (["small_study.py", "--cfg-options", "seed=1"], "seed has no meaning, did you mean seeds"),
    ],
)
def test_a_wrong_command_line_ends_with_one_line(root, monkeypatch, arguments, message):
    monkeypatch.chdir(root)
    with pytest.raises(SystemExit, match=message):
        run(*arguments)
