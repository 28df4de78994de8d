"""What the user may choose about the evidence."""

import math
from dataclasses import dataclass
from pathlib import Path

from mammography.functional.aggregation import POOLINGS, Pooling
from mammography.functional.precision_areas import Sampling
from mammography.terms import Level

LEVELS = (Level.IMAGE, Level.BREAST, Level.EXAM, Level.PATIENT)


@dataclass(frozen=True)
class EvidenceOptions:
    """How dumps become evidence.

    Attributes:
        level: What one case is.
        pooling: How the scores of the images of a case become one.
        task: Name of the binary task; the only one of the first dump by default.
        reference: Position of the dump that the others are compared with, from 0.
        thresholds: Cases with at least this score are recalled: one for all dumps, or one each;
            by default what the dumps carry from validation.
        repeats: Resamples of patients for an interval.
        seed: Of the resampling.
        names: What to call the models, in the order of the dumps.
        overlays: Folder with a picture ``<image_id>.png`` of where a model looked.
        data_root: Folder of the data set, when it has moved since the test.
        prevalence: Share of cases with cancer among those screened, for the cost of a threshold;
            that of the cases by default.
        sampling: Whether the share of positive cases was left to chance (``cohort``) or fixed by
            the study, as of an enriched reader study (``case_control``). It is what the intervals
            of average precision and predictive values hang on.

    Raises:
        ValueError: If a value is none that it can be.
    """

    level: Level = Level.BREAST
    pooling: Pooling = "mean"
    task: str | None = None
    reference: int = 0
    thresholds: tuple[float, ...] = ()
    repeats: int = 2000
    seed: int = 0
    names: tuple[str, ...] = ()
    overlays: Path | None = None
    data_root: Path | None = None
    prevalence: float | None = None
    sampling: Sampling = "cohort"

    def __post_init__(self) -> None:
        """Check the values."""
        rules = (
            ("level", self.level in LEVELS, f"one of {', '.join(LEVELS)}", self.level),
            ("pooling", self.pooling in POOLINGS, f"one of {', '.join(POOLINGS)}", self.pooling),
            ("thresholds", all(map(math.isfinite, self.thresholds)), "finite", self.thresholds),
            ("repeats", self.repeats >= 100, "at least 100", self.repeats),
            (
                "prevalence",
                self.prevalence is None or 0 < self.prevalence < 1,
                "between 0 and 1",
                self.prevalence,
            ),
            (
                "sampling",
                self.sampling in ("cohort", "case_control"),
                "cohort or case_control",
                self.sampling,
            ),
            (
                "overlays",
                self.overlays is None or self.overlays.is_dir(),
                "a folder of pictures",
                self.overlays,
            ),
        )
        for name, holds, rule, value in rules:
            if not holds:
                raise ValueError(f"evidence: {name} must be {rule}, got {value}")
