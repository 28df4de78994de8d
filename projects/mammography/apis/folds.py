"""Draw the folds of named patients."""

from collections.abc import Mapping

from mammography.apis.config import UsageError
from mammography.functional.folds import nested_folds
from mammography.structures.folds import Folds


def draw_folds(labels: Mapping[str, float], task: str, outer: int, inner: int, seed: int) -> Folds:
    """Divide patients into outer folds, and those outside of each into inner ones.

    Args:
        labels: Patient to 0, 1, or NaN where there is no label; their order does not matter.
        task: What the labels are of.
        outer: Number of outer folds.
        inner: Number of inner folds; below 2 a fifth of the patients validates.
        seed: Another seed draws other folds.

    Raises:
        UsageError: If a fold would lack a class.
    """
    patients = sorted(labels)
    try:
        tested, validated = nested_folds([labels[one] for one in patients], outer, inner, seed)
    except ValueError as error:
        raise UsageError(f"task {task}: {error}") from error
    return Folds(
        {patient: int(fold) for patient, fold in zip(patients, tested, strict=True)},
        tuple(
            {patients[i]: int(row[i]) for i in (tested != fold).nonzero()[0]}
            for fold, row in enumerate(validated)
        ),
        seed,
        task,
    )
