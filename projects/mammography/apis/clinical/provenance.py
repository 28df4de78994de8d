"""Did the network that scored a patient train on her?"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mammography.apis.config import UsageError
from mammography.structures.annotation import AnnotationError, read_annotations
from mammography.structures.folds import Folds
from mammography.terms import Split

_REMEDY = (
    "what a network says of patients it trained on is over-confident, and a fusion learns to trust "
    "it too much: use tools/cross_validate.py, or --allow-in-fold-features"
)


class InFoldError(UsageError):
    """Features are of patients that their network trained on, or are not shown not to be."""


def check_out_of_fold(
    path: Path,
    info: Mapping[str, Any],
    patients: Sequence[str],
    splits: Sequence[str],
    models: Sequence[str] = (),
) -> str:
    """See that no row of a dump is of a patient that its network trained on.

    A merged dump of a cross-validation carries its folds, and each row is held to them. Of any
    other dump, the annotation files that its config trains on are read. If there are none, the
    ``split`` of each image has to be that of a test or validation.

    Args:
        path: The dump, for the error.
        info: Where it says to come from.
        patients: Patient of each row.
        splits: Split of each row, ``""`` where not known.
        models: Model of each row, of features of several models.

    Returns:
        How it was shown, in words.

    Raises:
        InFoldError: If a row is in-fold, or it cannot be shown that none is.
    """
    if "folds" in info:
        return _by_folds(path, info, patients, models)
    in_fold = {one for one, split in zip(patients, splits, strict=True) if split == Split.TRAIN}
    if info.get("split") == Split.TRAIN:
        in_fold |= set(patients)
    trained = _trained_on(info.get("trained_on") or ())
    in_fold |= set(patients) & (trained or set())
    if in_fold:
        raise _in_fold(path, in_fold, patients)
    if trained is not None:
        return "none of these patients is in the annotations that the network trained on"
    if all(split in (Split.VAL, Split.TEST) for split in splits):
        return "the annotations say that all images are for test or validation"
    raise InFoldError(
        f"{path}: patients must be shown to be others than those that the network trained on, got "
        f"no folds, no annotations of its training and no split: {_REMEDY}"
    )


def _by_folds(
    path: Path, info: Mapping[str, Any], patients: Sequence[str], models: Sequence[str]
) -> str:
    folds, role = Folds.from_json(info["folds"]), info.get("out_of_fold")
    if unknown := set(patients) - set(folds.outer):
        raise InFoldError(
            f"{path}: patients must be in the folds of the dump, got {min(unknown)} that is not: "
            f"{_REMEDY}"
        )
    if role == "inner":
        wrong = {one for one in patients if folds.outer[one] == info.get("outer_fold")}
    else:
        wrong = set() if role == "outer" else set(patients)
    wrong |= {
        patient
        for patient, model in zip(patients, models, strict=bool(models))
        if model and folds.role(patient, *_pair(model)) is Split.TRAIN
    }
    if wrong:
        raise _in_fold(path, wrong, patients)
    return "out-of-fold: each patient was scored by networks of folds that did not train on her"


def _pair(model: str) -> tuple[int, int]:
    """Read ``outer0-inner1``."""
    outer, _, inner = model.removeprefix("outer").partition("-inner")
    return int(outer), int(inner)


def _trained_on(files: Iterable[str]) -> set[str] | None:
    """Return the patients of some annotation files; None if there are none, or one is gone."""
    patients: set[str] = set()
    read = False
    for file in files:
        try:
            records = read_annotations(file).records
        except AnnotationError:
            return None
        patients |= {str(record.patient_id) for record in records}
        read = True
    return patients if read else None


def _in_fold(path: Path, wrong: set[str], patients: Sequence[str]) -> InFoldError:
    return InFoldError(
        f"{path}: patients must be others than those that the network trained on, got "
        f"{len(wrong)} of {len(set(patients))} that it did train on, such as {min(wrong)}: "
        f"{_REMEDY}"
    )
