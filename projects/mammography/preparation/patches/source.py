"""A prepared source that patches are cut from: its records, their splits, what must hold."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mammography.preparation.outputs import ANNOTATION_FOLDER
from mammography.preparation.patches.lesion_classes import NoClassError, class_of
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.splits import assign_splits
from mammography.structures.annotation import Annotations, ImageRecord, read_annotations
from mammography.terms import Split, TaskKind

# 85 % and 15 % for the test, then 90 % and 10 % for validation, as published.
PUBLISHED_FRACTIONS = {Split.TRAIN: 0.765, Split.VAL: 0.085, Split.TEST: 0.15}


class PatchSourceError(ValueError):
    """A prepared source holds nothing that patches can be cut from."""


@dataclass(frozen=True)
class PatchSource:
    """A prepared source.

    Attributes:
        folder: Where it lies.
        annotations: All its records, each with its split.
        has_own_splits: Whether the splits are those of the source.
    """

    folder: Path
    annotations: Annotations
    has_own_splits: bool

    @property
    def with_findings(self) -> list[ImageRecord]:
        """The records that have a finding."""
        return [record for record in self.annotations.records if record.findings]


def read_source(
    folder: Path, options: PatchOptions, fractions: Mapping[Split, float] | None = None
) -> PatchSource:
    """Read the annotations of a prepared source.

    Args:
        folder: As ``tools/prepare_dataset.py`` wrote it.
        options: Which patches.
        fractions: Share of patients per split, to split anew; none keeps those of the source.

    Raises:
        ValueError: If it has no findings, none with a class, no splits, or records without
            identifiers.
        FileNotFoundError: If it is not there.
    """
    path = folder / ANNOTATION_FOLDER / "all.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: run tools/prepare_dataset.py to make it")
    annotations = read_annotations(path)
    _check_names(path, annotations)
    _check_findings(path, annotations, options)
    if fractions is None:
        _check_splits(path, annotations)
        return PatchSource(folder, annotations, has_own_splits=True)
    splits = assign_splits(_cancer_by_patient(annotations, options), fractions, options.seed)
    records = tuple(
        replace(record, split=splits[str(record.patient_id)]) for record in annotations.records
    )
    return PatchSource(folder, replace(annotations, records=records), has_own_splits=False)


def _check_names(path: Path, annotations: Annotations) -> None:
    ids = [record.image_id for record in annotations.records if record.patient_id]
    if None in ids or len(set(ids)) != len(annotations.records):
        raise PatchSourceError(
            f"{path}: every record must have an image_id of its own and a patient_id, got "
            f"{len(set(ids) - {None})} for {len(annotations.records)} records: "
            "run tools/prepare_dataset.py to make them"
        )


def _check_splits(path: Path, annotations: Annotations) -> None:
    given: dict[str, set[Split | None]] = defaultdict(set)
    for record in annotations.records:
        given[str(record.patient_id)].add(record.split)
    bad = sorted(patient for patient, found in given.items() if len(found) > 1 or None in found)
    if bad:
        raise PatchSourceError(
            f"{path}: every patient must have one split, got {bad[0]} and {len(bad) - 1} more "
            "without or with several: split anew with --splits train=0.765 val=0.085 test=0.15"
        )


def _check_findings(path: Path, annotations: Annotations, options: PatchOptions) -> None:
    findings = [finding for record in annotations.records for finding in record.findings]
    if not findings:
        raise PatchSourceError(
            f"{path}: records must have findings (outlined lesions), got none in "
            f"{len(annotations.records)} images: the source does not tell where its lesions are"
        )
    task = options.malignant_from
    binary = [n for n, t in annotations.tasks.items() if t.kind is TaskKind.BINARY]
    if task is not None and task not in binary:
        raise PatchSourceError(
            f"{path}: --malignant-from must be a binary task "
            f"({', '.join(binary) or 'there is none'}), got {task}"
        )
    reasons = set()
    for record in annotations.records:
        label = record.gt_label.get(task) if task else None
        for finding in record.findings:
            try:
                class_of(finding, label)
            except NoClassError as error:
                reasons.add(str(error))
            else:
                return
    raise PatchSourceError(
        f"{path}: a finding must be a mass or calcification of known malignancy, got none among "
        f"{len(findings)} ({', '.join(sorted(reasons))}): where findings do not tell, "
        f"--malignant-from TASK takes the label of the image ({', '.join(binary) or 'none'})"
    )


def _cancer_by_patient(
    annotations: Annotations, options: PatchOptions
) -> dict[str, tuple[float, ...]]:
    """Whether each patient has a malignant finding: what the splits are stratified by."""
    labels: dict[str, tuple[float, ...]] = {}
    for record in annotations.records:
        label = record.gt_label.get(options.malignant_from) if options.malignant_from else None
        told = (label if f.malignant is None else f.malignant for f in record.findings)
        malignant = float(any(told))
        patient = str(record.patient_id)
        labels[patient] = (max(malignant, labels.get(patient, (0.0,))[0]),)
    return labels
