"""What a study has left on the disk: configs, weights, predictions, and what they are of."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.domain_study.fingerprint import digest_file, fingerprint_test
from mammography.apis.domain_study.plan import Evaluation, Training
from mammography.apis.training import find_checkpoint
from mammography.reports.page import write_page

_TRAINED = "trained.json"
_CELL = "cell.json"


@dataclass(frozen=True)
class StudyFolder:
    """The folder of a study.

    Layout::

        models/<training>.py                       its config
        models/<training>/                         its run, as tools/train.py leaves it
        cells/<training>/<target>/<statistics>/    config, console and test/ of a cell
        table.csv table.md report.html

    A finished training and a finished cell have a note, written last.

    Attributes:
        root: The folder.
    """

    root: Path

    def run_of(self, training: Training) -> Path:
        """Return the folder of a training."""
        return self.root / "models" / training.name

    def cell_of(self, training: Training, evaluation: Evaluation) -> Path:
        """Return the folder of a cell."""
        return self.root / "cells" / training.name / evaluation.target / evaluation.statistics

    def predictions_of(self, training: Training, evaluation: Evaluation) -> Path:
        """Return the file of the predictions of a cell."""
        return self.cell_of(training, evaluation) / "test" / "predictions.json"

    def is_trained(self, training: Training) -> bool:
        """Tell whether there is nothing to train."""
        return training.config is None or (
            (self.run_of(training) / _TRAINED).is_file()
            and find_checkpoint(str(self.run_of(training))) is not None
        )

    def weights_of(self, training: Training) -> Path:
        """Return the checkpoint of a finished training that is tested.

        Raises:
            UsageError: If there is none such, or several that the study may mean.
        """
        if training.model.checkpoint:
            return Path(training.model.checkpoint)
        run, select = self.run_of(training), training.model.select
        if select == "last":
            found = find_checkpoint(str(run))
            return Path(str(found))
        fitting = sorted(run.glob("best_*.pth" if select == "best" else select))
        if len(fitting) != 1:
            names = ", ".join(path.name for path in sorted(run.glob("*.pth")))
            raise UsageError(
                f"models.{training.model.name}.select: {select} must be one checkpoint of "
                f"{run}, got {len(fitting)} among {names}: name it by a pattern, or set save_best "
                "in default_hooks.checkpoint"
            )
        return fitting[0]

    def find_weights(self, training: Training) -> Path | None:
        """Return the checkpoint of a training that is tested, if there is one."""
        try:
            return self.weights_of(training) if self.is_trained(training) else None
        except UsageError:
            return None

    def write_config(self, path: Path, cfg: Config) -> Path:
        """Write a config, whole or not at all."""
        write_page(path, cfg.pretty_text)
        return path

    def note_trained(self, training: Training, seconds: float) -> None:
        """Note that a training has finished."""
        self._note(self.run_of(training) / _TRAINED, training.fingerprint, seconds)

    def key_of(self, training: Training, evaluation: Evaluation) -> str:
        """Return what decides the predictions of a cell of a finished training."""
        weights = digest_file(self.weights_of(training).resolve())
        return fingerprint_test(evaluation.config, training.root, weights=weights)

    def note_evaluated(self, training: Training, evaluation: Evaluation, seconds: float) -> None:
        """Note that a cell is finished."""
        key = self.key_of(training, evaluation)
        self._note(self.cell_of(training, evaluation) / _CELL, key, seconds)

    def is_evaluated(self, training: Training, evaluation: Evaluation) -> bool:
        """Tell whether a cell is finished, with these weights and options."""
        if not self.find_weights(training):
            return False
        if not self.predictions_of(training, evaluation).is_file():
            return False
        note = _read_note(self.cell_of(training, evaluation) / _CELL)
        return note.get("key") == self.key_of(training, evaluation)

    def forget(self, training: Training, evaluation: Evaluation) -> None:
        """Take the note of a cell away, before it is evaluated anew."""
        (self.cell_of(training, evaluation) / _CELL).unlink(missing_ok=True)

    @staticmethod
    def _note(path: Path, key: str, seconds: float) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"key": key, "seconds": round(seconds, 1), "finished": now}
        write_page(path, json.dumps(told) + "\n")


def _read_note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}
