"""One cell of a domain study: a model, the hospital it is tested on, the statistics it uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.functional.aggregation import Pooling
from mammography.functional.curve_areas import AREAS
from mammography.reports.cases import Cases, pool_cases, score_in_words
from mammography.structures.prediction import read_dump, row_level
from mammography.terms import Level


@dataclass(frozen=True)
class Outcome:
    """What is measured, and how.

    Attributes:
        task: Name of the binary task.
        level: What one case is.
        pooling: How the scores of the images of a case become one.
        reference: The statistics that the others are compared with.
        reference_model: The model that the others are compared with; none if empty.
        measures: What is measured, names in
            :data:`~mammography.functional.score_measures.MEASURES`.
        repeats: Resamples of patients for an interval.
    """

    task: str = "malignant"
    level: Level = Level.BREAST
    pooling: Pooling = "mean"
    reference: str = "running"
    reference_model: str = ""
    measures: tuple[str, ...] = tuple(AREAS)
    repeats: int = 2000


@dataclass(frozen=True)
class Cell:
    """Where one number of the table comes from.

    Attributes:
        model: Name of the model.
        source: Hospitals it was trained on.
        input: Name of the input normalisation; empty where there is one only.
        seed: Of the training; None where it was trained elsewhere.
        target: Hospital it is tested on.
        statistics: Name of the statistics its batch norms use.
        adapted_to: Hospital whose unlabelled images its training saw, if any.
        at_home: Whether the target is one of the hospitals it was trained on.
        folder: Its folder in the study.
        predictions: The dump; None while there is none.
        complaint: Why there is none.
    """

    model: str
    source: str
    input: str
    seed: int | None
    target: str
    statistics: str
    adapted_to: str = ""
    at_home: bool = False
    folder: str = ""
    predictions: Path | None = None
    complaint: str = ""

    @property
    def trained_on(self) -> str:
        """What its training saw, in words."""
        unlabelled = f"{self.adapted_to} unlabelled" if self.adapted_to else ""
        return ", ".join(filter(None, (self.source, unlabelled)))

    @property
    def run(self) -> tuple[str, str, str, int | None]:
        """What its model is."""
        return self.model, self.source, self.input, self.seed

    @property
    def run_name(self) -> str:
        """The same, in words."""
        seed = "" if self.seed is None else f"seed {self.seed}"
        return ", ".join(filter(None, (self.model, self.source, self.input, seed)))


def score_of_a_case(outcome: Outcome, infos: Iterable[Mapping[str, Any]]) -> str:
    """Say in words what the score of a case is, of images or of what dumps say their rows are.

    Args:
        outcome: What is measured.
        infos: Where each dump comes from.
    """
    levels = [row_level(info) for info in infos] or [Level.IMAGE]
    told = (score_in_words(outcome.level, outcome.pooling, level) for level in levels)
    return " or ".join(dict.fromkeys(told))


def read_cases(path: Path, outcome: Outcome) -> Cases:
    """Read a dump and pool its images.

    Raises:
        ValueError: If the dump does not hold the task, or an image lacks what tells cases apart.
    """
    return pool_cases(read_dump(path), str(path), outcome.task, outcome.level, outcome.pooling)
