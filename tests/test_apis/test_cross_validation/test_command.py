"""What a cross-validation does and does not do again; nothing is trained here."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.cross_validation import command
from mammography.apis.cross_validation.plan import Settings
from mammography.apis.domain_study.worker import JobError
from mammography.preparation.work.occupancy import occupy
from mammography.preparation.work.shards import Shard
from mammography.structures.annotation import read_annotations
from mammography.structures.folds import read_folds
from mammography.structures.prediction import Dump, PredictionRecord, read_dump, write_dump
from mammography.structures.task import parse_tasks

SETTINGS = Settings(Path("configs/small.py"), outer=2, inner=2)
ALL = [f"outer{i}-inner{j}" for i in range(2) for j in range(2)]


class Jobs:
    """Stands for the worker: a model scores an image by its label and by which model it is."""

    def __init__(self):
        self.trained, self.bad, self.meanwhile = [], {}, None

    def do(self, function, *arguments, log=None):
        return function(*arguments)

    def train(self, config, run, tensorboard):
        fold = run.name.rpartition("-")[0]
        self.trained.append(fold)
        if self.meanwhile:
            self.meanwhile(fold)
        if fold in self.bad:
            raise self.bad[fold]
        for name in ("epoch_2.pth", "best_malignant_epoch_1.pth"):
            run.mkdir(parents=True, exist_ok=True)
            (run / name).write_text(fold)
        (run / "last_checkpoint").write_text(str(run / "epoch_2.pth"))

    def predict(self, config, weights, run, split, features):
        cfg = Config.fromfile(config, import_custom_modules=False)
        annotations = read_annotations(cfg[f"{split}_dataloader"].dataset.ann_file)
        model = 0.1 * ALL.index(weights.read_text())
        rows = tuple(
            PredictionRecord(
                record.img_path,
                record.image_id,
                record.patient_id,
                record.exam_id,
                record.laterality,
                record.view_position,
                record.split,
                record.gt_label,
                {"malignant": 0.3 * record.gt_label["malignant"] + model},
            )
            for record in annotations.records
        )
        write_dump(run / split / "predictions.json", Dump(parse_tasks(["malignant:binary"]), rows))
        return {"malignant": {"roc_auc": 1.0}}


@pytest.fixture
def run(root, monkeypatch):
    """Cross-validate: which models are trained; code and lines are attributes of it."""
    jobs = Jobs()
    monkeypatch.setattr(command, "Worker", lambda: nullcontext(jobs))
    monkeypatch.setattr(command, "train_fold", jobs.train)
    monkeypatch.setattr(command, "predict_fold", jobs.predict)

    def call(bad=None, settings=SETTINGS, **arguments):
        jobs.trained, jobs.bad, said = [], bad or {}, []
        call.code = command.cross_validate(settings, say=said.append, **arguments)
        call.said = said
        return jobs.trained

    call.jobs, call.folder = jobs, root / "work_dirs" / "small" / "cross_validation"
    return call


def test_every_model_is_trained_once(run):
    assert run() == ALL
    assert run.code == 0
    assert run.said[0].startswith("40 patients, ")
    assert "2 x 2 folds, 4 models, 0 finished" in run.said[0]
    assert run() == []
    assert {path.name for path in run.folder.iterdir()} >= {
        *("folds.json", "annotations", "models", "predictions.json", "inner", "metrics.json"),
        "results.md",
    }


def test_no_patient_tests_a_model_that_saw_her(run):
    run()
    folds = read_folds(run.folder / "folds.json")
    for fold in ALL:
        parts = {
            split: read_annotations(run.folder / f"annotations/{fold}/{split}.json").records
            for split in ("train", "val", "test")
        }
        patients = {split: {r.patient_id for r in rows} for split, rows in parts.items()}
        assert not patients["train"] & patients["val"]
        assert not (patients["train"] | patients["val"]) & patients["test"]
        assert set().union(*patients.values()) == set(folds.outer)
        assert all(r.split == split for split, rows in parts.items() for r in rows)
        assert sum(map(len, parts.values())) == 160
    rows = read_dump(run.folder / "predictions.json").records
    assert len({row.img_path for row in rows}) == len(rows) == 160


def test_an_image_has_the_mean_of_the_models_of_its_fold(run):
    run()
    folds = read_folds(run.folder / "folds.json")
    dump = read_dump(run.folder / "predictions.json")
    for row in dump.records:
        outer = folds.outer[row.patient_id]
        models = [0.1 * ALL.index(f"outer{outer}-inner{j}") for j in range(2)]
        expected = 0.3 * row.gt_label["malignant"] + np.mean(models)
        assert row.pred_score["malignant"] == pytest.approx(expected)
        assert row.split == "test"
    assert dump.info["out_of_fold"] == "outer"
    assert dump.info["folds"] == folds.to_json()


def test_patients_outside_of_a_fold_are_predicted_by_the_model_that_validated_on_them(run):
    run()
    folds = read_folds(run.folder / "folds.json")
    for outer in range(2):
        rows = read_dump(run.folder / f"inner/outer{outer}.json").records
        assert {row.patient_id for row in rows} == set(folds.inner[outer])
        for row in rows:
            model = ALL.index(f"outer{outer}-inner{folds.inner[outer][row.patient_id]}")
            assert row.pred_score["malignant"] == pytest.approx(
                0.3 * row.gt_label["malignant"] + 0.1 * model
            )


def test_a_shift_between_models_shows_in_the_pooled_area_not_in_the_folds(run):
    run()
    levels = json.loads((run.folder / "metrics.json").read_text())["tasks"]["malignant"]
    assert set(levels) == {"image", "breast", "exam", "patient"}
    for found in levels.values():
        assert [fold["roc_auc"] for fold in found["folds"]] == [1.0, 1.0]
        assert found["over_folds"]["roc_auc"] == {"mean": 1.0, "standard_deviation": 0.0}
    assert levels["image"]["pooled"]["n"] == 160
    patients = levels["patient"]["pooled"]
    assert (patients["n"], patients["patients"]) == (40, 40)
    low, high = patients["roc_auc_interval"]
    assert low < patients["roc_auc"] < high < 1
    # All images are in order, which tells nothing of how sure that is.
    assert levels["image"]["pooled"]["roc_auc"] == 1
    assert "roc_auc_interval" not in levels["image"]["pooled"]


def test_only_the_selected_checkpoint_stays(run):
    run()
    left = {path.name for path in (run.folder / "models").rglob("*.pth")}
    assert left == {"best_malignant_epoch_1.pth"}
    run(settings=replace(SETTINGS, select="last"))
    left = {path.name for path in (run.folder / "models").rglob("*.pth")}
    assert left == {"best_malignant_epoch_1.pth", "epoch_2.pth"}


def test_it_goes_on_where_it_was_killed(run):
    with pytest.raises(KeyboardInterrupt):
        run(bad={ALL[2]: KeyboardInterrupt()})
    assert not (run.folder / "predictions.json").exists()
    assert run() == ALL[2:]


def test_a_model_that_fails_hides_no_other_and_is_tried_again(run):
    assert run(bad={ALL[1]: JobError("no memory", "a traceback")}) == ALL
    assert run.code == 1
    assert run.said[-1].startswith("FAILED outer0-inner1: no memory; see ")
    assert [p.read_text() for p in run.folder.rglob("failure.txt")] == ["a traceback"]
    assert not (run.folder / "results.md").exists()
    assert run() == [ALL[1]]
    assert (run.folder / "results.md").exists()
    assert not list(run.folder.rglob("failure.txt"))


def test_shards_train_different_models_and_the_last_one_writes_the_results(run):
    done = []
    for part in (1, 2, 3):
        assert not (run.folder / "results.md").exists()
        done += run(shard=Shard(part, 3))
        if part < 3:
            assert "models are left to other calls" in run.said[-1]
    assert sorted(done) == ALL
    assert (run.folder / "results.md").exists()


def test_two_calls_never_train_the_same_model(run):
    second = []

    def start_another_call(fold):
        run.jobs.meanwhile = None
        trained, code = [*run.jobs.trained], None
        code = command.cross_validate(SETTINGS, say=second.append)
        assert code == 0
        assert run.jobs.trained[len(trained) :] == ALL[1:]

    run.jobs.meanwhile = start_another_call
    assert run() == ALL
    assert "Model 1 of 4, outer0-inner0: another call trains it" in second
    assert second[-1].startswith("1 of 4 models are left to other calls")
    assert "Results:" in run.said[-1]


def test_a_locked_model_is_left_alone(run):
    run(dry_run=True)
    (name,) = [line.split("/")[1] for line in run.said if ALL[3] in line]
    lock = run.folder / f"models/.{name}.lock"
    with occupy(run.folder, lock, alone=True):
        assert run() == ALL[:3]


def test_the_results_are_written_by_one_call(run):
    run.folder.mkdir(parents=True)
    with occupy(run.folder, run.folder / ".merge.lock", alone=True):
        assert run() == ALL
    assert run.said[-1] == "All models are finished; another call writes the results"
    assert not (run.folder / "results.md").exists()


def test_a_dry_run_trains_nothing(run):
    assert run(dry_run=True) == []
    assert [line.split("-")[0].strip() for line in run.said[1:]] == [
        *["to train  models/outer0"] * 2,
        *["to train  models/outer1"] * 2,
    ]
    assert (run.folder / "folds.json").exists()


def test_other_options_train_other_models_beside_the_first_ones(run):
    run()
    changed = replace(SETTINGS, cfg_options={"optim_wrapper.optimizer.lr": 0.5})
    assert run(settings=changed) == ALL
    assert run() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "holds other folds"),
        ({"outer": 3}, "holds other folds"),
        ({"task": "density"}, r"must be a binary task of annotations and config \(malignant\)"),
        (
            {"cfg_options": {"test_dataloader.dataset.tasks": ["size:regression"]}},
            r"must be a binary task of annotations and config \(none\), got none",
        ),
        ({"outer": 30}, "task malignant: .* in each of 30 outer folds"),
        ({"cfg_options": {"val_dataloader": None}}, "the config must have a val_dataloader"),
        ({"cfg_options": {"test_evaluator": []}}, "must have a MultiTaskMetric"),
    ],
)
def test_what_cannot_be_done_is_refused_before_any_training(run, change, message):
    run(dry_run=True)
    with pytest.raises(UsageError, match=message):
        run(settings=replace(SETTINGS, **change))
    assert run.jobs.trained == []


def test_the_test_images_may_be_kept_for_the_end(run):
    run(settings=replace(SETTINGS, splits=("train", "val")))
    kept = {r.patient_id for r in read_annotations("dataset/near/annotations/test.json").records}
    assert not kept & set(read_folds(run.folder / "folds.json").outer)


def test_an_image_without_a_patient_is_refused(run):
    path = Path("dataset/near/annotations/train.json")
    path.write_text(path.read_text().replace('"patient_id": "p0"', '"patient_id": null'))
    with pytest.raises(UsageError, match="every image must have a patient_id, got 4 without"):
        run()


def test_the_best_checkpoint_is_kept_by_the_area_of_the_task(run):
    run(dry_run=False)
    (config,) = (run.folder / "models").glob("outer0-inner0-*.py")
    hook = Config.fromfile(config, import_custom_modules=False).default_hooks.checkpoint
    assert (hook.save_best, hook.rule) == ("malignant/roc_auc", "greater")


def test_without_inner_folds_there_is_one_model_for_each_outer_fold(run):
    assert run(settings=replace(SETTINGS, inner=0)) == ["outer0-inner0", "outer1-inner0"]
    rows = read_dump(run.folder / "inner/outer0.json").records
    assert len({row.patient_id for row in rows}) == 4


def test_predictions_of_a_patient_that_trained_are_refused(run):
    run()
    (path,) = run.folder.glob("models/outer0-inner0-*/test/predictions.json")
    (other,) = run.folder.glob("models/outer1-inner0-*/test/predictions.json")
    path.write_text(other.read_text())
    with pytest.raises(
        UsageError, match=r"images must be of test patients, got .* for (train|val)"
    ):
        run()
