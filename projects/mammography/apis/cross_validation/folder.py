"""What a cross-validation has left on the disk."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mammography.apis.config import UsageError
from mammography.apis.cross_validation.plan import FoldModel
from mammography.apis.training import find_checkpoint
from mammography.reports.page import write_page

_DONE = "done.json"


@dataclass(frozen=True)
class FoldFolder:
    """The folder of a cross-validation; see :mod:`mammography.apis.cross_validation`.

    Attributes:
        root: The folder.
    """

    root: Path

    def run_of(self, model: FoldModel) -> Path:
        """Return the folder of the run of a model."""
        return self.root / "models" / model.name

    def config_of(self, model: FoldModel) -> Path:
        """Return the config file of a model."""
        return self.root / "models" / f"{model.name}.py"

    def lock_of(self, model: FoldModel) -> Path:
        """Return the file that is locked by who trains a model."""
        return self.root / "models" / f".{model.name}.lock"

    def predictions_of(self, model: FoldModel, split: str) -> Path:
        """Return what a model says of its ``val`` or ``test`` patients."""
        return self.run_of(model) / split / "predictions.json"

    def features_of(self, model: FoldModel, split: str) -> Path:
        """Return the features of a model, of its ``val`` or ``test`` patients."""
        return self.run_of(model) / split / "features.npz"

    def is_trained(self, model: FoldModel) -> bool:
        """Tell whether a training has ended."""
        return (self.run_of(model) / _DONE).is_file()

    def is_done(self, model: FoldModel, features: bool) -> bool:
        """Tell whether there is nothing left to do for a model."""
        wanted = [self.predictions_of(model, split) for split in ("val", "test")]
        if features:
            wanted += [self.features_of(model, split) for split in ("val", "test")]
        return self.is_trained(model) and all(path.is_file() for path in wanted)

    def note_trained(self, model: FoldModel, seconds: float) -> None:
        """Note that a training has ended."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        note = {"key": model.fingerprint, "seconds": round(seconds, 1), "finished": now}
        write_page(self.run_of(model) / _DONE, json.dumps(note) + "\n")

    def weights_of(self, model: FoldModel, select: str) -> Path:
        """Return the selected checkpoint of a training.

        Raises:
            UsageError: If there is none.
        """
        run = self.run_of(model)
        if select == "last":
            last = find_checkpoint(str(run))
            found = [Path(last)] if last and Path(last).is_file() else []
        else:  # a run that was killed may leave the one before: the best comes last
            found = sorted(run.glob("best_*.pth"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise UsageError(
                f"{run}: there must be a {select} checkpoint, got none: was the metric of "
                "default_hooks.checkpoint.save_best defined on the validation fold?"
            )
        return found[-1]

    def tidy(self, model: FoldModel, kept: Path) -> None:
        """Remove the checkpoints that were not selected: the training has ended."""
        for path in self.run_of(model).glob("*.pth"):
            if path.resolve() != kept.resolve():
                path.unlink()
