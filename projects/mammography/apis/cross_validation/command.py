"""Train, select and test the models of a cross-validation, alone or beside other calls."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.apis.config import repository_of
from mammography.apis.cross_validation.folder import FoldFolder
from mammography.apis.cross_validation.merge import merge
from mammography.apis.cross_validation.plan import FoldModel, Plan, Settings, make_plan
from mammography.apis.domain_study.worker import JobError, Worker
from mammography.apis.testing import evaluate
from mammography.apis.training import train
from mammography.functional.aggregation import Pooling
from mammography.preparation.work.occupancy import OccupiedError, occupy
from mammography.preparation.work.shards import Shard
from mammography.reports.page import write_page
from mammography.structures.prediction import read_dump, row_level

_FAILURE = "failure.txt"


def cross_validate(
    settings: Settings,
    *,
    out: str | Path | None = None,
    shard: Shard | None = None,
    features: bool = False,
    pooling: Pooling = "mean",
    dry_run: bool = False,
    tensorboard: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Cross-validate a config.

    What is finished is not done again: the same call goes on where another one stopped, inside a
    training from its last checkpoint. Several calls may work in one folder: each model is
    locked by the one that trains it, and shards give each call models of its own. The call that
    finds all models finished writes predictions and results. Trainings run in a process beside
    this one, one at a time, on one CPU or GPU.

    Args:
        settings: Config, folds and how to select.
        out: Folder; ``work_dirs/<config name>/cross_validation`` by default.
        shard: The part of the models that this call trains; all by default.
        features: Dump features as well.
        pooling: How the scores of the images (exams) of a larger case become one.
        dry_run: Only divide the patients and say what would be done.
        tensorboard: Write curves of the trainings for TensorBoard as well.
        say: Gets every line about the progress.

    Returns:
        How many models failed.

    Raises:
        UsageError: If it cannot be done; nothing was trained then.
    """
    usual = repository_of(settings.config) / "work_dirs" / settings.config.stem
    folder = FoldFolder(Path(out or usual / "cross_validation"))
    plan = make_plan(settings, folder.root)
    mine = list(shard.take(plan.models) if shard else plan.models)
    _tell(plan, folder, features, say)
    if dry_run:
        for model in plan.models:
            state = "finished" if folder.is_done(model, features) else "to train"
            say(f"{state:>9}  models/{model.name}{'' if model in mine else '  (other shard)'}")
        return 0
    run = _Run(plan, folder, features, tensorboard, say)
    run.do(mine)
    left = [model for model in plan.models if not folder.is_done(model, features)]
    if not left:
        try:
            with occupy(folder.root, folder.root / ".merge.lock", alone=True):
                merge(plan, folder, features, pooling)
            say(f"Results: {folder.root}/results.md, metrics.json, predictions.json")
        except OccupiedError:
            say("All models are finished; another call writes the results")
    elif not run.failures:
        say(
            f"{len(left)} of {len(plan.models)} models are left to other calls: the one that "
            "finds all finished writes the results"
        )
    for name, reason in run.failures.items():
        say(f"FAILED {name}: {reason}")
    return len(run.failures)


def train_fold(config: Path, run: Path, tensorboard: bool) -> None:
    """Train a model, from where an earlier call has stopped."""
    train(config, work_dir=str(run), resume="auto", tensorboard=tensorboard, report=False)


def predict_fold(
    config: Path, weights: Path, run: Path, split: str, features: bool
) -> dict[str, Any]:
    """Predict the patients that a model did not train on."""
    out = str(run / split / "features.npz") if features else None
    item = "feature" if features else None
    return evaluate(
        config, str(weights), work_dir=str(run), split=split, out=out, out_item=item, report=False
    )


def _tell(plan: Plan, folder: FoldFolder, features: bool, say: Callable[[str], None]) -> None:
    outer, inner = plan.folds.shape
    labels = plan.cohort.labels(plan.settings.task).values()
    count = sum(folder.is_done(model, features) for model in plan.models)
    say(
        f"{len(plan.folds.outer)} patients, {sum(label == 1 for label in labels)} with "
        f"{plan.settings.task}: {outer} x {inner} folds, {len(plan.models)} models, "
        f"{count} finished, in {folder.root}"
    )


@dataclass
class _Run:
    """Work in progress.

    Attributes:
        plan: What is to be done.
        folder: Where.
        features: Whether features are dumped.
        tensorboard: Whether trainings write curves for TensorBoard.
        say: Gets every line.
        failures: What failed, and why.
    """

    plan: Plan
    folder: FoldFolder
    features: bool
    tensorboard: bool
    say: Callable[[str], None]
    failures: dict[str, str] = field(default_factory=dict)

    def do(self, models: list[FoldModel]) -> None:
        """Train and test what is missing and no other call works on."""
        with Worker() as worker:
            for number, model in enumerate(models):
                if self.folder.is_done(model, self.features):
                    continue
                place = f"{number + 1} of {len(models)}, {model.fold}"
                try:
                    with occupy(self.folder.run_of(model), self.folder.lock_of(model), alone=True):
                        self._model(model, worker, place)
                except OccupiedError:
                    self.say(f"Model {place}: another call trains it")

    def _model(self, model: FoldModel, worker: Worker, place: str) -> None:
        run, started = self.folder.run_of(model), time.monotonic()
        try:
            self._train(model, worker, place)
            weights = self.folder.weights_of(model, self.plan.settings.select)
            told = [self._test(model, worker, weights, split) for split in ("val", "test")]
        except (JobError, ValueError) as error:
            details = error.details if isinstance(error, JobError) else str(error)
            write_page(run / _FAILURE, details)
            self.failures[model.fold] = f"{error}; see {run / _FAILURE}"
            return
        self.folder.tidy(model, weights)
        (run / _FAILURE).unlink(missing_ok=True)
        areas = ", ".join(
            f"{split} {metrics.get(self.plan.settings.task, {}).get('roc_auc', float('nan')):.3f}"
            for split, metrics in zip(("val", "test"), told, strict=True)
        )
        seconds = time.monotonic() - started
        rows = row_level(read_dump(self.folder.predictions_of(model, "test")).info)
        self.say(f"Model {place}: {weights.name}, ROC-AUC of {rows}s: {areas} ({seconds:.0f} s)")

    def _train(self, model: FoldModel, worker: Worker, place: str) -> None:
        if self.folder.is_trained(model):
            return
        self.say(f"Model {place}: training in {self.folder.run_of(model)}")
        config, started = self.folder.config_of(model), time.monotonic()
        write_page(config, model.config.pretty_text)
        worker.do(train_fold, config, self.folder.run_of(model), self.tensorboard)
        self.folder.note_trained(model, time.monotonic() - started)

    def _test(
        self, model: FoldModel, worker: Worker, weights: Path, split: str
    ) -> dict[str, dict[str, Any]]:
        run = self.folder.run_of(model)
        told: dict[str, dict[str, Any]] = worker.do(
            *(predict_fold, self.folder.config_of(model), weights, run, split, self.features),
            log=run / split / "console.log",
        )
        return told
