"""The images of DoSReMC: labels by breast, patients by what the options say."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mammography.preparation.cells import Problems
from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_record import FindingMask, SourceRecord
from mammography.preparation.source_tables.dosremc_tables import PATIENTS, Table, read_tables
from mammography.preparation.source_tables.dosremc_views import Pair, View, ViewReader
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.preparation.source_tables.patient_rule import choose_patient_rule, count_alike
from mammography.preparation.source_tables.split_tables import in_two_splits, path_from
from mammography.structures.task import Task

_OUTCOMES = ("benign", "malignant")  # In the order of OneHotLabel.
_WORDS = {(0, 0): "negative", (1, 0): "benign", (0, 1): "malignant", (1, 1): "both"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Dosremc:
    """The tables and what is asked of them.

    Args:
        root: Folder of a hospital, or of several.
        tasks: Some of ``malignant`` and ``benign``.
        hospitals: Which folders; by default all that hold tables.
        images: Where relative paths of images start, if not at ``root``.
        patient_pattern: Finds the patient in BreastID.
        breast_is_patient: Whether every breast counts as a patient of its own.
        labels_of: ``breast`` or ``image``.
        official_split: Whether the split of the tables is kept.

    Raises:
        ValueError: If a task or an option is unknown.
    """

    root: Path
    tasks: dict[str, Task]
    hospitals: tuple[str, ...] = ()
    images: str = ""
    patient_pattern: str = ""
    breast_is_patient: bool = False
    labels_of: str = "breast"
    official_split: bool = True

    def __post_init__(self) -> None:
        """Refuse what the tables cannot give."""
        check_task_names("dosremc", self.tasks, _OUTCOMES)
        check_choice("dosremc", "labels_of", self.labels_of, ("breast", "image"))

    @cached_property
    def tables(self) -> list[Table]:
        """All tables."""
        return read_tables(self.root, self.hospitals)

    @cached_property
    def patients_are(self) -> str:
        """How the patient is known."""
        columns = self.tables[0].those_of(PATIENTS)
        return choose_patient_rule(
            "dosremc", "breast", "".join(columns[:1]), self._pattern, self.breast_is_patient
        )

    @cached_property
    def _pattern(self) -> NamePattern | None:
        pattern = NamePattern(self.patient_pattern) if self.patient_pattern else None
        if pattern and pattern.tells != {"patient"}:
            raise ValueError(
                "source dosremc: patient_pattern must have one group, the patient, "
                f"got {self.patient_pattern!r}"
            )
        return pattern

    @cached_property
    def _read(self) -> tuple[list[View], list[Problems]]:
        reader = ViewReader(path_from(self.root, self.images), self._pattern)
        views: list[View] = []
        problems = []
        for table in self.tables:
            views += reader.read(table)
            problems.append(reader.problems)
        return views, problems

    @cached_property
    def breasts(self) -> dict[tuple[str, str, str | None], list[View]]:
        """Views by hospital, BreastID and exam: a breast may be well in one, ill in the next."""
        breasts: dict[tuple[str, str, str | None], list[View]] = {}
        for view in self._read[0]:
            breasts.setdefault((*view.breast, view.exam_id), []).append(view)
        return breasts

    @property
    def breasts_in_two(self) -> dict[str, str]:
        """Breasts in two splits, and in which."""
        return in_two_splits((" ".join(view.breast), view.split) for view in self._read[0])

    @property
    def patients_in_two(self) -> dict[str, str]:
        """Patients in two splits, and in which."""
        return in_two_splits((f"{v.hospital} {v.patient_id}", v.split) for v in self._read[0])

    def contents(self) -> Contents:
        """Return the records, and what to compare with what is known of the study."""
        patients_are = self.patients_are
        views, problems = self._read
        words = [_WORDS[view.outcome] if view.outcome else "missing" for view in views]
        mixed = sum(len({view.outcome for view in found}) > 1 for found in self.breasts.values())
        if mixed:
            logger.warning(
                "source dosremc: breasts whose rows have different labels: %d, labels are of "
                "the %s",
                mixed,
                self.labels_of,
            )
        return Contents(
            rows=sum(len(table.rows) for table in self.tables),
            records=tuple(self._record(view) for view in views),
            problems=tuple(problems),
            facts={
                "rows_by_table": {table.name: len(table.rows) for table in self.tables},
                "outcome_of_rows": dict(Counter(words)),
                "domain_of_rows": dict(Counter(view.domain or "none" for view in views)),
                "breast_ids": len({view.breast for view in views}),
                "breasts_with_different_labels": mixed,
                "breasts_in_two_splits": self.breasts_in_two,
                "patients_in_two_splits": self.patients_in_two,
                "patients_are": patients_are,
                "patients_alike": count_alike(
                    "dosremc", {f"{v.hospital}/{v.patient_id}" for v in views}
                ),
            },
        )

    def _record(self, view: View) -> SourceRecord:
        unit = (*view.breast, view.exam_id)
        rows = self.breasts[unit] if self.labels_of == "breast" else [view]
        outcome = _together(row.outcome for row in rows)
        values = dict(zip(_OUTCOMES, outcome or (), strict=False))
        mask = FindingMask(view.mask, "lesion", _malignant(view.outcome)) if view.mask else None
        return SourceRecord(
            img_path=view.path,
            # The same number is another patient in another hospital.
            patient_id=f"{view.hospital}/{view.patient_id}",
            exam_id=view.exam_id,
            laterality=view.laterality,
            view_position=view.view_position,
            split=view.split if self.official_split else None,
            gt_label=encode_labels(self.tasks, values),
            clinic_vars={"hospital": view.hospital}
            | ({"domain": view.domain} if view.domain else {}),
            findings=view.findings,
            masks=(mask,) if mask else (),
        )


def _together(outcomes: Iterable[Pair | None]) -> Pair | None:
    """Labels of a breast: what any of its rows has."""
    known = [outcome for outcome in outcomes if outcome]
    return (max(b for b, _ in known), max(m for _, m in known)) if known else None


def _malignant(outcome: Pair | None) -> bool | None:
    """Whether all lesions of an image are cancer; unknown where some may be."""
    return {(1, 0): False, (0, 1): True}.get(outcome or (0, 0))
