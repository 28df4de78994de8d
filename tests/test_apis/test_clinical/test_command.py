"""Clinical variables and images of planted skill, fused as the tool does it."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from clinical_case import invent_patients, write_dump_of, write_networks, write_patients
from mammography.apis.clinical.command import train_clinical
from mammography.apis.clinical.images import read_images
from mammography.apis.clinical.provenance import InFoldError
from mammography.apis.clinical.settings import Settings
from mammography.apis.config import UsageError
from mammography.apis.features import Features, write_features
from mammography.apis.folds import draw_folds
from mammography.functional.delong import area_interval, roc_areas
from mammography.structures.folds import read_folds
from mammography.structures.prediction import read_dump

TOOL = Path(__file__).parents[3] / "tools" / "train_clinical.py"
COUNT = 240


def run(*arguments):
    spec = importlib.util.spec_from_file_location("tools_train_clinical", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.main([str(argument) for argument in arguments])


def draw(labels, outer=3, inner=2):
    named = {f"p{i:03d}": label for i, label in enumerate(labels)}
    return draw_folds(named, "malignant", outer, inner, 0)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with annotations, networks of several folds, and the finished fusion of both."""
    folder = tmp_path_factory.mktemp("study")
    annotations = write_patients(folder, COUNT, clinical=0.8, image=1.4)
    labels, _, logits = invent_patients(COUNT, 0.8, 1.4)
    write_networks(folder / "cv", draw(labels), labels, lambda i, _: logits[i], memory=5.0)
    options = ("--models", "mlp", "logistic", "--out", folder / "fusion")
    run("--annotations", annotations, "--images", folder / "cv", *options)
    return folder


@pytest.fixture(scope="module")
def metrics(study):
    return json.loads((study / "fusion/metrics.json").read_text())


def areas(metrics, model):
    modes = ("clinical", "mammo", "clinical-mammo")
    return [metrics["models"][f"{mode}, {model}"]["pooled"]["roc_auc"] for mode in modes]


def test_fusion_knows_more_than_either_and_the_areas_are_the_planted_ones(metrics):
    expected = [norm.cdf(skill / np.sqrt(2)) for skill in (0.8, 1.4, np.hypot(0.8, 1.4))]
    found = areas(metrics, "logistic")
    assert found[0] < found[1] < found[2]
    np.testing.assert_allclose(found, expected, atol=0.06)
    for name, value in zip(("clinical", "mammo", "clinical-mammo"), expected, strict=True):
        low, high = metrics["models"][f"{name}, logistic"]["pooled"]["roc_auc_interval"]
        assert low < value < high


def test_a_network_that_remembers_its_training_patients_does_not_deceive_the_fusion(metrics):
    # On what the networks say of their own training patients any fusion would reach 1.
    assert max(areas(metrics, "mlp")) < 0.93


def test_every_number_can_be_computed_again_from_the_scores(study, metrics):
    folds = read_folds(study / "fusion/folds.json")
    for name, found in metrics["models"].items():
        rows = read_dump(study / f"fusion/predictions/{name.replace(', ', '-')}.json").records
        assert len(rows) == COUNT
        labels = np.array([row.gt_label["malignant"] for row in rows])
        scores = np.array([row.pred_score["malignant"] for row in rows])
        assert found["pooled"]["roc_auc"] == pytest.approx(roc_auc_score(labels, scores))
        fold = np.array([folds.outer[row.patient_id] for row in rows])
        for k in range(3):
            expected = roc_auc_score(labels[fold == k], scores[fold == k])
            assert found["folds"][k]["roc_auc"] == pytest.approx(expected)
        area = roc_areas(labels, scores)
        interval = area_interval(area.areas[0], area.covariance[0, 0])
        assert found["pooled"]["roc_auc_interval"] == pytest.approx(interval)


def test_modes_of_a_model_and_models_of_a_mode_are_compared(metrics):
    pairs = {(one["first"], one["second"]) for one in metrics["differences"]}
    assert len(pairs) == 2 * 3 + 3
    assert ("clinical, mlp", "clinical-mammo, mlp") in pairs
    assert ("mammo, mlp", "mammo, logistic") in pairs
    (one,) = (
        one
        for one in metrics["differences"]
        if (one["first"], one["second"]) == ("clinical, logistic", "clinical-mammo, logistic")
    )
    found = areas(metrics, "logistic")
    assert one["roc_auc_difference"] == pytest.approx(found[0] - found[2])
    assert one["interval"][1] < 0
    assert one["p_holm"] >= one["p"]


def test_the_folds_are_those_of_the_networks(study):
    labels = invent_patients(COUNT, 0.8, 1.4)[0]
    assert read_folds(study / "fusion/folds.json") == draw(labels)


def test_the_page_says_what_was_done(study):
    page = (study / "fusion/results.md").read_text()
    for text in (
        "240 patients, 120 with malignant",
        "Clinical variables: numbers: age_years, body_mass_index; classes: menopause.",
        "From images, 1 columns (malignant)",
        "nested: a fusion trains on what networks said that validated on the patient",
        "| clinical-mammo | logistic | 240 | 120 |",
    ):
        assert text in page


def test_a_fold_sees_of_a_training_patient_what_the_network_said_that_validated_on_her(study):
    labels, _, logits = invent_patients(COUNT, 0.8, 1.4)
    folds = draw(labels)
    table = read_images([study / "cv"], "malignant")
    for outer in range(3):
        rows = table.table_of(outer)
        assert set(rows.index) == set(folds.outer)
        numbers = [int(name[1:]) for name in rows.index]
        np.testing.assert_allclose(rows["malignant"], logits[numbers], atol=1e-6)


def test_the_guard_fires_on_what_a_network_says_of_its_training_patients(tmp_path):
    annotations = write_patients(tmp_path, 60)
    labels, _, logits = invent_patients(60, 1.0, 1.0)
    dump, info = tmp_path / "predictions.json", {"trained_on": [annotations.as_posix()]}
    write_dump_of(dump, list(range(60)), dict(enumerate(logits)), labels, info, None)
    settings = Settings(("mammo",), images=(dump,), models=("logistic",), outer=2, inner=2)
    with pytest.raises(InFoldError, match="got 60 of 60 that it did train on"):
        train_clinical(settings, tmp_path / "out")
    said = []
    train_clinical(
        Settings(**vars(settings) | {"allow_in_fold": True}), tmp_path / "out", said.append
    )
    assert any("CAUTION, allowed on request: " in line for line in said)


def test_scores_of_another_split_make_a_fusion_of_its_own_folds(tmp_path):
    annotations = write_patients(tmp_path, 80, clinical=1.0, image=1.0)
    labels, _, logits = invent_patients(80, 1.0, 1.0)
    dump = tmp_path / "predictions.json"
    write_dump_of(dump, list(range(10, 80)), dict(enumerate(logits)), labels, {}, "test")
    settings = Settings(
        ("clinical-mammo",), annotations=(annotations,), images=(dump,),
        models=("boosting",), outer=2, inner=2,
    )  # fmt: skip
    said = []
    train_clinical(settings, tmp_path / "out", said.append)
    assert said[0].startswith("70 patients, 35 with malignant; left out of 80: 0 without a label")
    assert len(read_dump(tmp_path / "out/predictions/clinical-mammo-boosting.json").records) == 70


def test_features_of_several_networks_are_read_with_a_caution(tmp_path):
    labels = np.arange(40) % 2
    folds = draw(labels, 2, 2)
    names = np.repeat([f"p{i:03d}" for i in range(40)], 2)
    models = np.array([f"outer{folds.outer[name]}-inner{j % 2}" for j, name in enumerate(names)])
    values = np.random.default_rng(0).normal(size=(80, 3)).astype(np.float32)
    info = {"folds": folds.to_json(), "out_of_fold": "outer"}
    features = Features(
        values, {"patient_id": names}, {"malignant": np.repeat(labels, 2) * 1.0}, models, info
    )
    write_features(tmp_path / "features.npz", features)
    table = read_images([tmp_path / "features.npz"], "malignant")
    assert any(text.startswith("CAUTION: features of 4 networks") for text in table.told)
    rows = table.table_of(0)
    np.testing.assert_allclose(rows.loc["p003"], values[6:8].mean(axis=0), rtol=1e-6)
    highest = read_images([tmp_path / "features.npz"], "malignant", pooling="max").table_of(0)
    np.testing.assert_allclose(highest.loc["p003"], values[6:8].max(axis=0), rtol=1e-6)
    models[0] = "outer1-inner0" if folds.outer["p000"] == 0 else "outer0-inner0"
    write_features(tmp_path / "features.npz", features)
    role = folds.role("p000", *map(int, (models[0][5], models[0][12])))
    if role == "train":
        with pytest.raises(InFoldError, match="such as p000"):
            read_images([tmp_path / "features.npz"], "malignant")


def test_a_table_gives_variables_and_labels(tmp_path):
    labels, age, _ = invent_patients(80, 1.5, 1.0)
    table = pd.DataFrame({"patient_id": range(80), "malignant": labels, "age": age, "grade": 1})
    table.to_csv(tmp_path / "table.csv", index=False)
    options = ("--outer", 2, "--inner", 2, "--out", tmp_path / "out")
    run("--mode", "clinical", "--table", tmp_path / "table.csv", "--exclude", "grade", *options)
    metrics = json.loads((tmp_path / "out/metrics.json").read_text())
    assert "Clinical variables: numbers: age." in metrics["info"]["facts"]
    expected = norm.cdf(1.5 / np.sqrt(2))
    assert all(
        abs(found["pooled"]["roc_auc"] - expected) < 0.1 for found in metrics["models"].values()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"modes": ("mammo",), "images": ()}, "--mode mammo needs --images"),
        ({"annotations": ()}, "--mode clinical needs --annotations or --table"),
        ({"modes": ("both",)}, "--modes must be some of clinical, mammo, clinical-mammo"),
        ({"exclude": ("weight",)}, r"must name clinical variables \(age_years, .*\), got weight"),
        ({"exclude": ("age_years", "menopause", "body_mass_index")}, "needs a clinical variable"),
        ({"task": "density"}, r"--task must be a binary task \(malignant\), got density"),
        ({"outer": 50}, "in each of 50 outer folds, got 15 positive and 15 negative"),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, change, message):
    annotations = write_patients(tmp_path, 30)
    told = {"modes": ("clinical",), "annotations": (annotations,)} | change
    with pytest.raises(UsageError, match=message):
        train_clinical(Settings(**told), tmp_path / "out")


def test_a_variable_that_images_of_a_patient_contradict_is_refused(tmp_path):
    annotations = write_patients(tmp_path, 30)
    content = json.loads(annotations.read_text())
    content["data_list"][0]["clinic_vars"]["age_years"] = 1.0
    annotations.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="age_years must be the same in all images of a patient"):
        train_clinical(Settings(("clinical",), annotations=(annotations,)), tmp_path / "out")


def test_a_wrong_command_line_ends_with_one_line(tmp_path):
    with pytest.raises(SystemExit, match=r"^train_clinical\.py: --mode mammo needs --images"):
        run("--mode", "mammo", "--out", tmp_path)


def test_dumps_of_images_and_of_exams_are_not_put_together(tmp_path):
    labels, _, logits = invent_patients(20, 1.0, 1.0)
    for name, info in (("images", {}), ("exams", {"level": "exam"})):
        write_dump_of(tmp_path / f"{name}.json", range(20), logits, labels, info, "test")
    paths = [tmp_path / "images.json", tmp_path / "exams.json"]
    with pytest.raises(UsageError, match="rows of all dumps must be of one level, got exam and im"):
        read_images(paths, "malignant")
