"""Exams, not images, are cross-validated: every score and feature of an exam computed by hand."""

import json
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from sklearn.metrics import roc_auc_score

from domain_study_case import write_config
from mammography.apis.clinical.command import train_clinical
from mammography.apis.clinical.images import read_images
from mammography.apis.clinical.settings import Settings as FusionSettings
from mammography.apis.cross_validation import command
from mammography.apis.cross_validation.plan import Settings
from mammography.functional.png16 import decode_png16
from mammography.structures.annotation import read_annotations, write_annotations
from mammography.structures.folds import read_folds
from mammography.structures.prediction import read_dump
from mammography.terms import Laterality, Split, ViewPosition
from phantoms import prepared_png_study

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
SETTINGS = Settings(Path("configs/small.py"), outer=2, inner=2, select="last")


class Here:
    """Stands for the worker: works in this process, which has torch already."""

    def do(self, function, *arguments, log=None):
        return function(*arguments)


def write_exams(root: Path) -> None:
    """Half of the patients have two exams, of one projection each; some have a left breast alone.

    The label of a patient has nothing to do with the number of her exams.
    """
    prepared_png_study(
        root, patients=24, size_hw=(32, 26), prevalence=0.5, tasks=["malignant:binary"]
    )
    for split in Split:
        path = root / f"annotations/{split}.json"
        content, kept = read_annotations(path), []
        for record in content.records:
            number = int(record.patient_id[-3:])
            if number % 5 == 0 and record.laterality is Laterality.RIGHT:
                continue
            later = number // 2 % 2 and record.view_position is ViewPosition.MLO
            kept.append(replace(record, exam_id=f"{record.patient_id}-{2 if later else 1}"))
        write_annotations(path, replace(content, records=tuple(kept)))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The repository with the finished cross-validation of exams and clinical variables."""
    folder = tmp_path_factory.mktemp("repository")
    write_exams(folder / "dataset/exams")
    write_config(
        folder / "configs/small.py",
        **{f"{loader}.dataset.data_root": "dataset/exams" for loader in LOADERS},
        **{f"{loader}.dataset.type": "ExamDataset" for loader in LOADERS},
        **{f"{loader}.collate_fn": {"type": "pseudo_collate"} for loader in LOADERS},
        **{
            "model.type": "MultiInputClassifier",
            "model.data_preprocessor": {
                "type": "MultiViewDataPreprocessor",
                "mean": [0.5],
                "std": [0.5],
            },
            "model.view_fusion": {"type": "ViewFusionNeck", "in_channels": 8, "num_heads": 2},
            "model.clinical": {
                "type": "ClinicalEncoder",
                "numbers": {"age_years": {}},
                "categories": {"family_history": [0, 1]},
            },
            "model.head.in_channels": 8 + 2 + 4,
            "custom_hooks": [{"type": "FitClinicalEncoderHook"}],
            "train_cfg.max_epochs": 1,
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(command, "Worker", lambda: nullcontext(Here()))
        # Laying out the text of configs would take four fifths of the time.
        patch.setattr("yapf.yapflib.yapf_api.FormatCode", lambda text, **_: (text, True))
        said: list[str] = []
        options = {"out": "cv", "features": True, "say": said.append}
        assert command.cross_validate(SETTINGS, **options) == 0
    (folder / "said.txt").write_text("\n".join(said))
    return folder


@pytest.fixture(scope="module")
def exams(root):
    """Patient and exam to the records of all its images."""
    found = defaultdict(list)
    for split in Split:
        for record in read_annotations(root / f"dataset/exams/annotations/{split}.json").records:
            found[record.patient_id, record.exam_id].append(record)
    return dict(found)


@pytest.fixture(scope="module")
def networks(root):
    """Outer and inner fold to the trained network."""
    init_default_scope("mmpretrain")
    built = {}
    for config in (root / "cv/models").glob("outer*.py"):
        network = MODELS.build(Config.fromfile(config, import_custom_modules=False).model).eval()
        (weights,) = config.with_suffix("").glob("epoch_*.pth")
        network.load_state_dict(torch.load(weights, weights_only=False)["state_dict"])
        built[int(config.name[5]), int(config.name[12])] = network
    return built


@torch.no_grad()
def run_by_hand(root, network, records):
    """Return the probability and the features of an exam, without the data set and its loader."""
    pixels = [decode_png16((root / "dataset/exams" / r.img_path).read_bytes()) for r in records]
    inputs = torch.tensor(np.stack(pixels)[:, None] / 65535, dtype=torch.float32)
    vectors = network.backbone((inputs - 0.5) / 0.5)[-1]
    views = [{"laterality": r.laterality, "view_position": r.view_position} for r in records]
    variables = DataSample(metainfo={"clinic_vars": records[0].clinic_vars})
    parts = [network.view_fusion(vectors, [views]), network.clinical([variables])]
    features = torch.cat(parts, dim=1)
    return torch.sigmoid(network.head.layers["malignant"](features)).item(), features[0].numpy()


def test_every_exam_is_scored_once_out_of_fold_and_says_what_it_is(root, exams):
    dump = read_dump(root / "cv/predictions.json")
    rows = {(row.patient_id, row.exam_id): row for row in dump.records}
    assert len(exams) > len({patient for patient, _ in exams}) == 24
    assert set(rows) == set(exams)
    assert len(dump.records) == len(exams)
    for name, row in rows.items():
        assert row.gt_label["malignant"] == max(r.gt_label["malignant"] for r in exams[name])
    assert dump.info["level"] == "exam"
    folds = read_folds(root / "cv/folds.json")
    for outer in range(2):
        inner = read_dump(root / f"cv/inner/outer{outer}.json")
        named = [(row.patient_id, row.exam_id) for row in inner.records]
        assert sorted(named) == sorted(name for name in exams if folds.outer[name[0]] != outer)
        assert inner.info["level"] == "exam"


def test_a_score_is_the_mean_of_the_networks_that_did_not_see_the_patient(root, exams, networks):
    folds = read_folds(root / "cv/folds.json")
    for row in read_dump(root / "cv/predictions.json").records:
        outer, records = folds.outer[row.patient_id], exams[row.patient_id, row.exam_id]
        said = [run_by_hand(root, networks[outer, inner], records)[0] for inner in range(2)]
        assert row.pred_score["malignant"] == pytest.approx(np.mean(said), abs=1e-5)


def test_clinical_variables_are_standardised_by_the_training_exams_of_the_fold(
    root, exams, networks
):
    folds = read_folds(root / "cv/folds.json")
    means = set()
    for pair, network in networks.items():
        ages = [
            records[0].clinic_vars["age_years"]
            for (patient, _), records in exams.items()
            if folds.role(patient, *pair) is Split.TRAIN
        ]
        assert network.clinical.mean[0].item() == pytest.approx(np.mean(ages), rel=1e-5)
        means.add(round(float(np.mean(ages)), 4))
    assert len(means) > 1


def test_exams_become_patients_and_no_breasts(root):
    levels = json.loads((root / "cv/metrics.json").read_text())["tasks"]["malignant"]
    rows = read_dump(root / "cv/predictions.json").records
    assert levels["exam"]["pooled"]["n"] == len(rows)
    patients = defaultdict(list)
    for row in rows:
        patients[row.patient_id].append((row.gt_label["malignant"], row.pred_score["malignant"]))
    labels = [max(label for label, _ in told) for told in patients.values()]
    scores = [np.mean([score for _, score in told]) for told in patients.values()]
    assert levels["patient"]["pooled"]["roc_auc"] == pytest.approx(roc_auc_score(labels, scores))
    for level in ("image", "breast"):
        assert f"level must be one of exam, patient, got {level}" in levels[level]["note"]
    page = (root / "cv/results.md").read_text()
    assert "Each exam was scored as a whole" in page
    assert "Scores of exams are pooled by mean over the patient" in page
    assert "malignant: exams, model by model" in page
    assert (root / "said.txt").read_text().count("ROC-AUC of exams") == 4


def test_a_fusion_reads_the_features_of_the_exams_of_a_patient(root, exams, networks):
    folds = read_folds(root / "cv/folds.json")
    images = read_images([root / "cv"], "malignant", features=True)
    for patient in sorted(folds.outer)[:8]:
        own = [records for (one, _), records in exams.items() if one == patient]
        for outer in range(2):
            tested = folds.outer[patient] == outer
            inner = range(2) if tested else [folds.inner[outer][patient]]
            said = [run_by_hand(root, networks[outer, j], r)[1] for j in inner for r in own]
            found = images.table_of(outer).loc[patient].to_numpy()
            np.testing.assert_allclose(found, np.mean(said, axis=0), atol=1e-5)


@pytest.mark.parametrize("features", [False, True])
def test_a_fusion_of_exams_says_what_the_network_was_given(root, tmp_path, features):
    annotations = tuple(root / f"dataset/exams/annotations/{split}.json" for split in Split)
    settings = FusionSettings(
        annotations=annotations,
        images=(root / "cv",),
        features=features,
        models=("logistic",),
    )
    train_clinical(settings, tmp_path)
    page = (tmp_path / "results.md").read_text()
    assert "mean over the exams of a patient" in page
    assert "CAUTION: the network itself was given age_years, family_history" in page
    scored = read_dump(tmp_path / "predictions/clinical-mammo-logistic.json").records
    assert len(scored) == 24
