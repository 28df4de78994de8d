"""Which patients test, validate and train each model of a nested cross-validation."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.terms import Split

NEVER = -1


class FoldError(ValueError):
    """Folds do not hold what they must."""


@dataclass(frozen=True)
class Folds:
    """Outer folds of patients, and inner folds of those outside of each.

    Model ``(i, j)`` is tested on outer fold ``i``, selected on the patients that have inner fold
    ``j`` there, and trained on all others.

    Attributes:
        outer: Patient to the fold that tests her, from 0.
        inner: For each outer fold, each patient outside of it to the inner fold that validates
            her, from 0; :data:`NEVER` if she always trains.
        seed: Of the draw.
        task: What the folds are stratified by.

    Raises:
        FoldError: If a patient of an outer fold has an inner one there, or lacks one elsewhere, or
            a fold has no number between the others.

    Example:
        >>> folds = Folds({"a": 0, "b": 1, "c": 1}, ({"b": 0, "c": 1}, {"a": 0}))
        >>> [str(folds.role(patient, 0, 1)) for patient in "abc"]
        ['test', 'train', 'val']
    """

    outer: Mapping[str, int]
    inner: tuple[Mapping[str, int], ...]
    seed: int = 0
    task: str = ""

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        if set(self.outer.values()) != set(range(len(self.inner))):
            raise FoldError(
                f"folds: outer must number the folds from 0 to {len(self.inner) - 1}, "
                f"got {sorted(set(self.outer.values()))}"
            )
        for number, inner in enumerate(self.inner):
            outside = {patient for patient, fold in self.outer.items() if fold != number}
            if wrong := outside ^ set(inner):
                raise FoldError(
                    f"folds: inner[{number}] must hold the patients outside of outer fold "
                    f"{number} and no others, got {len(wrong)} wrong, such as {min(wrong)}"
                )
            found = set(inner.values()) - {NEVER}
            if found != set(range(len(found))) or not found:
                raise FoldError(
                    f"folds: inner[{number}] must number its folds from 0, got {sorted(found)}"
                )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of outer folds, and of inner ones in each."""
        return len(self.inner), max(max(inner.values()) for inner in self.inner) + 1

    @property
    def models(self) -> list[tuple[int, int]]:
        """Outer and inner fold of every model."""
        outer, inner = self.shape
        return [(i, j) for i in range(outer) for j in range(inner)]

    def role(self, patient: str, outer: int, inner: int) -> Split:
        """Return what a patient is to a model.

        Raises:
            FoldError: If the patient is in no fold.
        """
        if patient not in self.outer:
            raise FoldError(f"folds: patient must be in a fold, got {patient}")
        if self.outer[patient] == outer:
            return Split.TEST
        return Split.VAL if self.inner[outer][patient] == inner else Split.TRAIN

    def patients(self, role: Split, outer: int, inner: int) -> list[str]:
        """Return the patients that have a role for a model, sorted."""
        return [one for one in sorted(self.outer) if self.role(one, outer, inner) is role]

    def to_json(self) -> dict[str, Any]:
        """Return the plain form."""
        return {
            "outer": dict(self.outer),
            "inner": [dict(inner) for inner in self.inner],
            "seed": self.seed,
            "task": self.task,
        }

    @classmethod
    def from_json(cls, content: Any) -> "Folds":
        """Read the plain form.

        Raises:
            FoldError: If it has another one.
        """
        try:
            return cls(
                _numbers(content["outer"].items()),
                tuple(_numbers(inner.items()) for inner in content["inner"]),
                int(content.get("seed", 0)),
                str(content.get("task", "")),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise FoldError(f"folds: must hold outer and inner, got {error!r}") from error


def _numbers(items: Iterable[tuple[Any, Any]]) -> dict[str, int]:
    return {str(patient): int(fold) for patient, fold in items}


def read_folds(path: str | Path) -> Folds:
    """Read a file of folds.

    Raises:
        FoldError: If the file is absent, or holds none.
    """
    path = Path(path)
    try:
        return Folds.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise FoldError(f"{path}: {error}") from error


def write_folds(path: str | Path, folds: Folds) -> None:
    """Write a file of folds, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(folds.to_json(), indent=0) + "\n", encoding="utf-8")
    unfinished.replace(path)
