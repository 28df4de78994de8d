import json

import pytest

from invented_study import TASKS, invent_rows
from mammography.reports.cross_validation.results import ModelScore, write_results
from mammography.structures.folds import Folds
from mammography.structures.prediction import Dump, PredictionRecord

PATIENTS = [f"p{i:03d}" for i in range(40)]
OUTER = {patient: i % 2 for i, patient in enumerate(PATIENTS)}
FOLDS = Folds(
    OUTER,
    tuple({p: i // 20 for i, p in enumerate(PATIENTS) if OUTER[p] != fold} for fold in (0, 1)),
    task="malignant",
)


@pytest.fixture
def written(tmp_path):
    dump = Dump(TASKS, invent_rows(40, 1.5), {"config": "small.py", "select": "best"})
    models = [
        ModelScore(f"models/outer{i}-inner0-ab", i, 0, "best.pth", dump, dump) for i in (0, 1)
    ]
    write_results(tmp_path, dump, FOLDS, models, "max")
    return tmp_path


def test_every_level_of_a_binary_task_is_measured_over_all_and_in_each_fold(written):
    content = json.loads((written / "metrics.json").read_text())
    levels = content["tasks"]["malignant"]
    counts = {level: found["pooled"]["n"] for level, found in levels.items()}
    assert counts == {"image": counts["image"], "breast": 80, "exam": 40, "patient": 40}
    assert all(len(found["folds"]) == 2 for found in levels.values())
    assert (content["outer"], content["inner"], content["pooling"]) == (2, 2, "max")
    assert len(content["models"]) == 2


def test_a_value_that_is_not_defined_is_null(written):
    content = json.loads((written / "metrics.json").read_text())
    nothing = {"mse": None, "r2": None, "pearson": None}  # no image has a size
    assert content["tasks"]["size"]["image"] == nothing


def test_a_level_that_images_do_not_name_says_so(tmp_path):
    rows = tuple(
        PredictionRecord(
            f"{patient}{k}.png",
            patient_id=patient,
            gt_label={"malignant": float(k)},
            pred_score={"malignant": 0.4 + 0.1 * k, "size": 1.0},
        )
        for patient in PATIENTS
        for k in (0, 1)
    )
    write_results(tmp_path, Dump(TASKS, rows), FOLDS, [])
    levels = json.loads((tmp_path / "metrics.json").read_text())["tasks"]["malignant"]
    assert "80 of 80 without laterality" in levels["breast"]["note"]
    assert levels["image"]["pooled"]["roc_auc"] == 1.0
    page = (tmp_path / "results.md").read_text()
    assert "| breast | predictions.json: every image must tell" in page


def test_the_page_says_how_it_came_about(written):
    page = (written / "results.md").read_text()
    for text in (
        "# Cross-validation of small.py",
        "40 patients, 2 outer folds stratified by malignant (seed 0), 2 model(s) for each",
        "are pooled by max",
        "with patients as units, of ROC-AUC by the variance of Obuchowski",
        "| outer1-inner0-ab | best.pth |",
    ):
        assert text in page


def test_exams_scored_as_a_whole_have_no_numbers_of_images_and_breasts(tmp_path):
    rows = tuple(
        PredictionRecord(
            f"{patient}{k}.png",
            patient_id=patient,
            exam_id=f"{patient}-{k}",
            laterality="L",  # a left breast alone: its exam is still no breast
            gt_label={"malignant": float(k), "size": 2.0},
            pred_score={"malignant": 0.4 + 0.1 * k, "size": 1.0},
        )
        for patient in PATIENTS
        for k in (0, 1)
    )
    write_results(tmp_path, Dump(TASKS, rows, {"level": "exam"}), FOLDS, [], "max")
    tasks = json.loads((tmp_path / "metrics.json").read_text())["tasks"]
    for level in ("image", "breast"):
        note = tasks["malignant"][level]["note"]
        assert note.startswith(f"predictions.json: level must be one of exam, patient, got {level}")
    assert tasks["malignant"]["exam"]["pooled"]["n"] == 80
    assert tasks["malignant"]["patient"]["pooled"]["n"] == 40
    assert tasks["size"] == {"exam": {"mse": 1.0, "r2": None, "pearson": None}}
    page = (tmp_path / "results.md").read_text()
    for text in (
        "Each exam was scored as a whole, from all its views. ",
        "Scores of exams are pooled by max over the patient; ",
        "size: exams of all patients",
        "malignant: exams, model by model",
    ):
        assert text in page
