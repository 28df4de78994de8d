"""What a study does and does not do again; nothing is trained here, see test_whole_study."""

import csv
from contextlib import nullcontext
from pathlib import Path

import pytest
from mmengine.config import Config

from domain_study_case import write_study_file
from invented_study import TASKS, invent_rows
from mammography.apis.config import UsageError
from mammography.apis.domain_study import command
from mammography.apis.domain_study.folder import StudyFolder
from mammography.apis.domain_study.worker import JobError
from mammography.preparation.work.occupancy import OccupiedError, occupy
from mammography.structures.prediction import Dump, write_dump

PLAIN = {"config": "configs/small.py"}


class Jobs:
    """Stands for the worker: jobs leave what real ones would, and are written down."""

    def __init__(self):
        self.done, self.bad = [], {}

    def do(self, function, *arguments, log=None):
        return function(*arguments)

    def train(self, config, run, tensorboard):
        self._begin(f"train {run.name.rpartition('-')[0]}", tensorboard)
        cfg = Config.fromfile(config, import_custom_modules=False)
        start = [h.checkpoint for h in cfg.custom_hooks if h["type"] == "LoadPretrainedHook"]
        run.mkdir(parents=True, exist_ok=True)
        (run / "epoch_1.pth").write_text(f"{cfg.optim_wrapper} {cfg.randomness.seed} {start}")
        (run / "last_checkpoint").write_text(str(run / "epoch_1.pth"))

    def evaluate(self, config, weights, cell):
        assert weights.is_file()
        training = cell.parent.parent.name.rpartition("-")[0]
        self._begin(f"test {training} {cell.parent.name} {cell.name}")
        cfg = Config.fromfile(config, import_custom_modules=False)
        skill = 0.5 + len(cfg.custom_hooks) + len(cell.parent.name) / 8
        write_dump(cell / "test" / "predictions.json", Dump(TASKS, invent_rows(40, skill)))
        return {"malignant": {"roc_auc": 0.7}, "size": {"mse": 1.0}}

    def _begin(self, job, *more):
        self.done.append((job, *more) if any(more) else job)
        if job in self.bad:
            raise self.bad[job]


def write_config(_, path, cfg):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(f"{name} = {value!r}" for name, value in cfg.to_dict().items()))
    return path


@pytest.fixture
def study(root, monkeypatch):
    """Write a study and run it: which jobs are done; code and lines are attributes of it."""
    jobs = Jobs()
    monkeypatch.setattr(command, "Worker", lambda: nullcontext(jobs))
    monkeypatch.setattr(command, "train_model", jobs.train)
    monkeypatch.setattr(command, "evaluate_cell", jobs.evaluate)
    # What takes long, and is tested elsewhere.
    monkeypatch.setattr(StudyFolder, "write_config", write_config)
    monkeypatch.setattr("mammography.reports.domain_study.page.curve_parts", lambda *_: ())

    def run(bad=None, **arguments):
        jobs.done, jobs.bad, said = [], bad or {}, []
        options, settings = arguments.pop("options", {}), arguments.pop("settings", {})
        study_file = write_study_file(root, **settings)
        run.code = command.run_domain_study(
            study_file, cfg_options=options, say=said.append, **arguments
        )
        run.said = said
        return jobs.done

    run.jobs, run.folder = jobs, root / "work_dirs" / "small_study"
    return run


ALL = [
    "train plain-near-seed0",
    *(f"test plain-near-seed0 {t} {s}" for t in ("near", "far") for s in ("running", "batch")),
]


def table(folder):
    with (folder / "table.csv").open() as file:
        return {(r["model"], r["target"], r["statistics"]): r for r in csv.DictReader(file)}


def test_everything_is_done_once(study):
    assert study() == ALL
    assert study.code == 0
    assert study() == []
    assert {path.name for path in study.folder.iterdir()} == {
        *("models", "cells", "table.csv", "table.md", "report.html", ".lock"),
    }
    assert all(float(row["roc_auc"]) > 0.5 for row in table(study.folder).values())


def test_progress_is_told_cell_by_cell(study):
    study()
    assert study.said[0].startswith("Training plain, near, seed 0: ")
    assert study.said[2].startswith(
        "Cell 2 of 4, plain, near, seed 0 on near, batch: ROC-AUC of images: malignant 0.700 ("
    )
    assert "report.html" in study.said[-1]


def test_it_goes_on_where_it_was_killed(study):
    with pytest.raises(KeyboardInterrupt):
        study(bad={ALL[2]: KeyboardInterrupt()})
    assert study() == ALL[2:]


def test_a_training_that_was_killed_goes_on_in_its_folder(study):
    with pytest.raises(KeyboardInterrupt):
        study(bad={ALL[0]: KeyboardInterrupt()})
    (run,) = {path.stem for path in (study.folder / "models").iterdir()}
    assert study() == ALL
    assert {path.stem for path in (study.folder / "models").iterdir()} == {run}


@pytest.mark.parametrize(
    ("options", "again"),
    [
        ({"statistics.batch.options": {"test_dataloader.batch_size": 3}}, [ALL[2], ALL[4]]),
        ({"options": {"test_dataloader.batch_size": 3}}, ALL[1:]),
        ({"options": {"optim_wrapper.optimizer.lr": 0.5}}, ALL),
        ({"statistics.mixed": {"statistics": "mixed"}}, [
            "test plain-near-seed0 near mixed", "test plain-near-seed0 far mixed",
        ]),
        ({"targets": ["far"]}, []),
        ({"repeats": 50, "pooling": "max", "level": "patient"}, []),
        ({"seeds": [0, 1]}, [job.replace("seed0", "seed1") for job in ALL]),
    ],
)  # fmt: skip
def test_an_option_does_again_only_what_it_changes(study, options, again):
    study()
    assert study(options=options) == again
    assert study(options=options) == []


def test_going_back_to_earlier_options_trains_nothing(study):
    study()
    study(options={"options": {"optim_wrapper.optimizer.lr": 0.5}})
    assert study() == []


def test_other_weights_are_evaluated_anew(study):
    study()
    (weights,) = study.folder.glob("models/*/epoch_1.pth")
    weights.write_text("trained by hand")
    assert study() == ALL[1:]
    (predictions,) = study.folder.glob("cells/*/far/batch/test/predictions.json")
    predictions.unlink()
    assert study() == ALL[4:]


def test_predictions_that_were_cut_off_are_not_taken_for_earlier_ones(study, monkeypatch):
    study()

    def kill(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StudyFolder, "note_evaluated", kill)
        with pytest.raises(KeyboardInterrupt):
            study(options={"statistics.batch.options": {"test_dataloader.batch_size": 3}})
    assert study() == [ALL[2]]


def test_a_failed_cell_is_told_and_tried_again_and_stops_no_other(study):
    error = JobError("OutOfMemoryError: no space", "the whole traceback")
    assert study(bad={ALL[2]: error}) == ALL
    assert study.code == 1
    assert study.said[-1].startswith("FAILED plain, near, seed 0 on near, batch: OutOfMemoryError")
    (failure,) = study.folder.rglob("failure.txt")
    assert failure.read_text() == "the whole traceback"
    row = table(study.folder)["plain", "near", "batch"]
    place = failure.relative_to(study.folder)
    assert row["note"] == f"failed: OutOfMemoryError: no space; see {place}"
    assert "OutOfMemoryError: no space" in (study.folder / "report.html").read_text()
    assert float(table(study.folder)["plain", "far", "batch"]["roc_auc"]) > 0.5
    assert study() == [ALL[2]]
    assert (study.code, list(study.folder.rglob("failure.txt"))) == (0, [])


def test_a_failed_training_takes_those_that_start_from_it_along_and_no_other(study):
    models = {"a": PLAIN, "b": PLAIN | {"start": "a"}, "c": PLAIN}
    done = study(
        bad={"train a-near-seed0": JobError("ValueError: no")},
        settings={"models": models, "statistics": {"running": None}},
    )
    assert done == ["train a-near-seed0", "train c-near-seed0",
                    "test c-near-seed0 near running", "test c-near-seed0 far running"]  # fmt: skip
    assert study.code == 2
    notes = {model: row["note"] for (model, *_), row in table(study.folder).items()}
    assert notes["a"].startswith("failed: ValueError: no")
    assert notes["b"] == "failed: it starts from a, near, seed 0, which failed"


def test_a_model_starts_from_the_weights_of_another_and_trains_again_with_it(study):
    settings = {
        "models": {
            "tuned": PLAIN | {"sources": ["far"], "start": {"model": "plain", "source": "near"}},
            "plain": PLAIN,
        },
        "statistics": {"running": None},
    }
    done = study(settings=settings)
    assert [job for job in done if job.startswith("train")] == [
        "train plain-near-seed0",
        "train tuned-far-seed0",
    ]
    (config,) = study.folder.glob("models/tuned-*.py")
    (plain,) = study.folder.glob("models/plain-*/epoch_1.pth")
    (hook,) = Config.fromfile(config).custom_hooks
    assert Path(hook.checkpoint) == plain.relative_to(Path.cwd())
    assert (hook["type"], hook.module) == ("LoadPretrainedHook", "")
    assert table(study.folder)["tuned", "far", "running"]["at_home"] == "1"
    again = study(settings=settings, options={"models.plain.options": {"train_cfg.max_epochs": 3}})
    assert [job for job in again if job.startswith("train")] == [
        "train plain-near-seed0",
        "train tuned-far-seed0",
    ]


def test_weights_that_were_trained_elsewhere_are_only_tested(study, root):
    (root / "published.pth").write_text("weights")
    model = PLAIN | {"checkpoint": "published.pth", "trained_on": "New York"}
    settings = {"models": {"nyu": model}, "seeds": [0, 1], "statistics": {"running": None}}
    assert study(settings=settings) == ["test nyu near running", "test nyu far running"]
    assert table(study.folder)["nyu", "near", "running"]["source"] == "New York"
    (root / "published.pth").write_text("others")
    assert len(study(settings=settings)) == 2


def test_inputs_are_trained_and_tested_alike(study):
    inputs = {"unit": {}, "zscore": {"transforms": [{"type": "StandardizeImage"}]}}
    done = study(settings={"inputs": inputs, "targets": ["far"], "statistics": {"running": None}})
    assert done == [
        "train plain-near-unit-seed0",
        "test plain-near-unit-seed0 far running",
        "train plain-near-zscore-seed0",
        "test plain-near-zscore-seed0 far running",
    ]
    for name, count in (("unit", 2), ("zscore", 3)):
        (trained,) = study.folder.glob(f"models/*{name}*.py")
        (tested,) = study.folder.glob(f"cells/*{name}*/far/running/cell.py")
        for path, loader in ((trained, "train_dataloader"), (tested, "test_dataloader")):
            assert len(Config.fromfile(path)[loader].dataset.pipeline) == count


def test_some_models_alone_bring_those_they_start_from_and_the_table_shows_all(study):
    models = {"a": PLAIN, "b": PLAIN | {"start": "a"}, "c": PLAIN}
    settings = {"models": models, "statistics": {"running": None}, "targets": ["far"]}
    done = study(settings=settings, only=["b"])
    assert done == ["train a-near-seed0", "test a-near-seed0 far running",
                    "train b-near-seed0", "test b-near-seed0 far running"]  # fmt: skip
    rows = table(study.folder)
    assert rows["c", "far", "running"]["note"] == "not evaluated yet"
    assert float(rows["b", "far", "running"]["roc_auc"]) > 0.5
    with pytest.raises(UsageError, match="--only must be one of a, b, c, got 'd'"):
        study(settings=settings, only=["d"])


def test_a_dry_run_tells_and_does_nothing(study):
    assert study(dry_run=True) == []
    assert not study.folder.exists()
    assert study.said[0].startswith("   to train  plain, near, seed 0  (models/plain-near-seed0-")
    assert study.said[1] == "to evaluate  plain, near, seed 0 on near, running"
    with pytest.raises(KeyboardInterrupt):
        study(bad={ALL[2]: KeyboardInterrupt()})
    study(dry_run=True)
    states = [line.split("  plain")[0].strip() for line in study.said]
    assert states == ["trained", "evaluated", *["to evaluate"] * 3]


@pytest.mark.parametrize(
    ("select", "files", "name"),
    [
        ("best", ["best_malignant_epoch_1.pth"], "best_malignant_epoch_1.pth"),
        ("best", [], None),
        ("best", ["best_a.pth", "best_b.pth"], None),
        ("best_b*", ["best_a.pth", "best_b.pth"], "best_b.pth"),
    ],
)
def test_the_tested_checkpoint_is_chosen(study, select, files, name):
    seen = []
    study.jobs.evaluate = lambda config, weights, cell: seen.append(weights.name) or {}
    plain_train = study.jobs.train

    def train(config, run, tensorboard):
        plain_train(config, run, tensorboard)
        for file in files:
            (run / file).write_text(file)

    command.train_model, command.evaluate_cell = train, study.jobs.evaluate
    study(options={"models.plain.select": select})
    assert set(seen) == ({name} if name else set())
    if name is None:
        assert f"{select} must be one checkpoint of" in study.said[-1]
        assert f"got {len(files)} among" in study.said[-1]


def test_tensorboard_reaches_the_training(study):
    assert study(tensorboard=True)[0] == ("train plain-near-seed0", True)


def test_two_calls_never_work_in_one_folder(study):
    study.folder.mkdir(parents=True)
    lock = study.folder / ".lock"
    with occupy(study.folder, lock, alone=True), pytest.raises(OccupiedError):
        study()
    assert study() == ALL


def test_another_folder_can_be_named(study, tmp_path):
    study(work_dir=tmp_path / "other")
    assert (tmp_path / "other" / "report.html").exists()
    assert not study.folder.exists()


def test_the_study_decides_about_statistics_not_the_config(study, root):
    own = [
        {"type": "NormStatisticsHook", "statistics": "batch", "when": ("val",)},
        {"type": "LoadPretrainedHook", "checkpoint": "weights.pth"},
        {"type": "DomainNormHook"},
        {"type": "ChannelsLastHook"},
    ]
    statistics = {
        "running": None,
        "target": [
            {"type": "DomainNormHook", "domain": "target"},
            {"statistics": "target", "images": "adapt"},
        ],
    }
    (root / "weights.pth").write_text("x")
    study(options={"options": {"custom_hooks": own}, "statistics": statistics})

    def hooks(pattern):
        (path,) = study.folder.glob(pattern)
        return Config.fromfile(path).custom_hooks

    assert hooks("models/plain-*.py") == own
    assert hooks("cells/*/far/running/cell.py") == own[2:]
    channels, domain, norm = hooks("cells/*/far/target/cell.py")
    assert channels == own[3]
    assert domain == {"type": "DomainNormHook", "domain": "target"}
    dataset = norm.pop("dataloader")["dataset"]
    assert norm == {"type": "NormStatisticsHook", "statistics": "target"}
    assert (dataset["data_root"], dataset["ann_file"]) == ("dataset/far", "annotations/train.json")
