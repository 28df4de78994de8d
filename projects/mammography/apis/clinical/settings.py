"""What a fusion of clinical variables and images is asked to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mammography.apis.clinical.images import Pooling
from mammography.apis.clinical.models import MODELS

MODES = ("clinical", "mammo", "clinical-mammo")


@dataclass(frozen=True)
class Settings:
    """How clinical variables and images are fused.

    Attributes:
        modes: What the models are given: ``clinical``, ``mammo`` or ``clinical-mammo``.
        task: Binary outcome.
        annotations: Files with clinical variables and labels.
        table: CSV with a column ``patient_id`` and clinical variables.
        images: A folder of ``tools/cross_validate.py``, or dumps of predictions or features.
        features: Whether the features of such a folder are read, not its predictions.
        pooling: ``mean`` or ``max`` over the images of a patient.
        columns: Clinical variables to use; all if empty.
        exclude: Clinical variables to leave out.
        numeric: Variables that hold numbers, whatever they look like; likewise ``categorical`` and
            ``binary``.
        models: Some of :data:`~mammography.apis.clinical.models.MODELS`.
        outer: Outer folds, unless the images come with folds.
        inner: Inner folds, likewise.
        seed: Of folds and models.
        allow_in_fold: Whether networks may have trained on the patients they scored.
    """

    modes: Sequence[str] = MODES
    task: str = "malignant"
    annotations: Sequence[Path] = ()
    table: Path | None = None
    images: Sequence[Path] = ()
    features: bool = False
    pooling: Pooling = "mean"
    columns: Sequence[str] = ()
    exclude: Sequence[str] = ()
    numeric: Sequence[str] = ()
    categorical: Sequence[str] = ()
    binary: Sequence[str] = ()
    models: Sequence[str] = tuple(MODELS)
    outer: int = 5
    inner: int = 5
    seed: int = 0
    allow_in_fold: bool = False
