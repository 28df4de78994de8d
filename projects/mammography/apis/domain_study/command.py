"""Train what is missing, evaluate every cell, write the table."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.domain_study.facts import study_facts
from mammography.apis.domain_study.fields import check_known
from mammography.apis.domain_study.folder import StudyFolder
from mammography.apis.domain_study.plan import Evaluation, Training, make_plan
from mammography.apis.domain_study.reading import read_study
from mammography.apis.domain_study.worker import JobError, Worker
from mammography.apis.testing import evaluate
from mammography.apis.training import train
from mammography.preparation.work.occupancy import occupy
from mammography.reports.domain_study.cells import Cell
from mammography.reports.domain_study.page import write_study_results
from mammography.reports.page import write_page

_FAILURE = "failure.txt"


def run_domain_study(
    study: str | Path,
    *,
    work_dir: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    only: Sequence[str] = (),
    dry_run: bool = False,
    tensorboard: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Run a study file: models x targets x statistics, and their table.

    What is finished is not done again; the same call goes on where another one stopped, inside a
    training from its last checkpoint. A training or cell that fails is told at the end, and
    tried again by the next call. Trainings and tests run in a process beside this one, one at
    a time, on one CPU or GPU, each with a config of its own in the folder of the study: one
    that was interrupted may be finished on several GPUs by ``tools/dist_train.sh
    models/<training>.py N --resume --work-dir models/<training>`` and is then taken up.

    Args:
        study: The study file.
        work_dir: Folder of the study; ``work_dirs/<name of the study>`` by default.
        cfg_options: Changes of the study file by dotted names.
        only: Names of the models to train and evaluate, and of those that they start
            from; the table shows all.
        dry_run: Only say what would be done.
        tensorboard: Write curves of the trainings for TensorBoard as well.
        say: Gets every line about the progress.

    Returns:
        How many trainings and cells failed.

    Raises:
        UsageError: If the study cannot be run; nothing has been done then.
        OSError: If another call works in the folder.
    """
    told = read_study(study, cfg_options)
    plan = make_plan(told)
    for name in only:
        check_known("--only", name, told.models)
    folder = StudyFolder(Path(work_dir or told.root / "work_dirs" / told.name))
    wanted = _wanted(plan, only)
    if dry_run:
        _describe(folder, wanted, say)
        return 0
    folder.root.mkdir(parents=True, exist_ok=True)
    with occupy(folder.root, folder.root / ".lock", alone=True):
        run = _Run(folder, tensorboard, say)
        run.do(wanted)
        write_study_results(folder.root, study_facts(told, plan, folder), run.cells(plan))
    say(f"Results: {folder.root}/report.html, table.md, table.csv")
    for name, reason in run.failures.items():
        say(f"FAILED {name}: {reason}")
    return len(run.failures)


def train_model(config: Path, run: Path, tensorboard: bool) -> None:
    """Train a config, from where an earlier call has stopped."""
    train(config, work_dir=str(run), resume="auto", tensorboard=tensorboard)


def evaluate_cell(config: Path, weights: Path, cell: Path) -> dict[str, dict[str, Any]]:
    """Test weights and return the metrics by task."""
    return evaluate(config, str(weights), work_dir=str(cell), report=False)


def _wanted(plan: list[Training], only: Sequence[str]) -> list[Training]:
    """Return the trainings of some models, and those that they start from."""
    names = {id(training) for training in plan if not only or training.model.name in only}
    for training in reversed(plan):  # each comes after the one it starts from
        if id(training) in names and training.start:
            names.add(id(training.start))
    return [training for training in plan if id(training) in names]


def _describe(folder: StudyFolder, wanted: list[Training], say: Callable[[str], None]) -> None:
    """Say what is finished and what would be done."""
    for training in wanted:
        state = "trained" if folder.is_trained(training) else "to train"
        say(f"{state:>11}  {training}  (models/{training.name})")
        for evaluation in training.evaluations:
            done = folder.is_evaluated(training, evaluation)
            state = "evaluated" if done else "to evaluate"
            say(f"{state:>11}  {training} on {evaluation.target}, {evaluation.statistics}")


def _name(training: Training, evaluation: Evaluation) -> str:
    return f"{training} on {evaluation.target}, {evaluation.statistics}"


@dataclass
class _Run:
    """Work in progress.

    Attributes:
        folder: Of the study.
        tensorboard: Whether trainings write curves for TensorBoard.
        say: Gets every line.
        failures: What failed, and why.
    """

    folder: StudyFolder
    tensorboard: bool
    say: Callable[[str], None]
    failures: dict[str, str] = field(default_factory=dict)

    def do(self, wanted: list[Training]) -> None:
        """Train and evaluate what is missing."""
        total = sum(len(training.evaluations) for training in wanted)
        count = sum(self.folder.is_evaluated(t, one) for t in wanted for one in t.evaluations)
        if count:
            self.say(f"{count} of {total} cells are finished already")
        count = 0
        with Worker() as worker:
            for training in wanted:
                usable = self._train(training, worker)
                for evaluation in training.evaluations:
                    count += 1
                    if usable and not self.folder.is_evaluated(training, evaluation):
                        self._evaluate(training, evaluation, worker, f"{count} of {total}")

    def cells(self, plan: list[Training]) -> list[Cell]:
        """Return all cells for the table, with their predictions or why there are none."""
        return [self._cell(training, one) for training in plan for one in training.evaluations]

    def _train(self, training: Training, worker: Worker) -> bool:
        """Return whether there are weights at the end."""
        folder = self.folder
        if training.start and str(training.start) in self.failures:
            self.failures[str(training)] = f"it starts from {training.start}, which failed"
        elif not folder.is_trained(training):
            run = folder.run_of(training)
            self.say(f"Training {training}: {run}")
            config = run.with_name(f"{run.name}.py")
            folder.write_config(config, _with_start(training, folder))
            job = (train_model, config, run, self.tensorboard)
            done = self._try(str(training), run, lambda: worker.do(*job))
            if done:
                folder.note_trained(training, done[1])
        if str(training) in self.failures:
            return False
        try:
            folder.weights_of(training)
        except UsageError as error:
            self.failures[str(training)] = str(error)
            return False
        return True

    def _evaluate(
        self, training: Training, evaluation: Evaluation, worker: Worker, count: str
    ) -> None:
        folder, name = self.folder, _name(training, evaluation)
        cell = folder.cell_of(training, evaluation)
        folder.forget(training, evaluation)
        config = folder.write_config(cell / "cell.py", evaluation.config)
        job = (evaluate_cell, config, folder.weights_of(training), cell)
        done = self._try(name, cell, lambda: worker.do(*job, log=cell / "console.log"))
        if done:
            folder.note_evaluated(training, evaluation, done[1])
            areas = [f"{task} {m['roc_auc']:.3f}" for task, m in done[0].items() if "roc_auc" in m]
            told = f"ROC-AUC of images: {', '.join(areas)}" if areas else "done"
            self.say(f"Cell {count}, {name}: {told} ({done[1]:.0f} s)")

    def _try(self, name: str, folder: Path, job: Callable[[], Any]) -> tuple[Any, float] | None:
        """Return what a job returns and how long it took; keep what it says when it fails."""
        start, failure = time.monotonic(), folder / _FAILURE
        try:
            result = job()
        except JobError as error:
            write_page(failure, error.details)
            self.failures[name] = f"{error}; see {failure.relative_to(self.folder.root)}"
            self.say(f"FAILED {name}: {error}")
            return None
        failure.unlink(missing_ok=True)
        return result, time.monotonic() - start

    def _cell(self, training: Training, evaluation: Evaluation) -> Cell:
        done = self.folder.is_evaluated(training, evaluation)
        complaint = self.failures.get(_name(training, evaluation)) or self.failures.get(
            str(training)
        )
        missing = f"failed: {complaint}" if complaint else "not evaluated yet"
        return Cell(
            model=training.model.name,
            source=training.trained_on,
            input=training.input,
            seed=training.seed,
            target=evaluation.target,
            statistics=evaluation.statistics,
            adapted_to=training.model.adapt_to or "",
            at_home=evaluation.target in training.trained_on.split("+"),
            folder=str(self.folder.cell_of(training, evaluation).relative_to(self.folder.root)),
            predictions=self.folder.predictions_of(training, evaluation) if done else None,
            complaint="" if done else missing,
        )


def _with_start(training: Training, folder: StudyFolder) -> Config:
    """Return the config of a training, with the weights it starts from."""
    if training.config is None or training.start is None or training.model.start is None:
        return training.config or Config()
    cfg = copy.deepcopy(training.config)
    hook = {
        "type": "LoadPretrainedHook",
        "checkpoint": str(folder.weights_of(training.start)),
        "module": "",
        "allow": training.model.start.allow,
    }
    # They are those of the whole model, in place of what the config starts from by itself.
    kept = [one for one in cfg.custom_hooks if one["type"] != hook["type"]]
    cfg.update(custom_hooks=[*kept, hook], load_from=None)
    return cfg
