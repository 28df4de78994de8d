"""The images of CBIS-DDSM: lesions of one view together, patients in one split each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_record import FindingMask, SourceRecord
from mammography.preparation.source_tables.cbis_ddsm_lesions import (
    KINDS,
    PATHOLOGIES,
    Film,
    Lesion,
    LesionTables,
)
from mammography.structures.task import Task
from mammography.terms import Split

SHARED_PATIENTS = ("refuse", "train", "test", "drop")
_OUTCOMES = ("malignant", "density", "birads", "pathology", "subtlety", *KINDS)


@dataclass(frozen=True)
class CbisDdsm:
    """The tables and what is asked of them.

    Args:
        root: Folder that the folder of the tables is relative to.
        tasks: Outcomes by name.
        tables: Folder of the four tables.
        kinds: Whose files.
        official_split: Whether the split of the tables is kept.
        shared_patients: What becomes of patients in both of its parts.
        keep_copies: Whether an image that has two files is two records.
        masks: Whether records have the masks of their lesions.

    Raises:
        ValueError: If a task or an option is unknown.
    """

    root: Path
    tasks: dict[str, Task]
    tables: str = ""
    kinds: tuple[str, ...] = KINDS
    official_split: bool = True
    shared_patients: str = "refuse"
    keep_copies: bool = False
    masks: bool = True

    def __post_init__(self) -> None:
        """Refuse what the tables cannot give."""
        check_task_names("cbis_ddsm", self.tasks, _OUTCOMES)
        check_choice("cbis_ddsm", "kinds", self.kinds, KINDS, least=1)
        check_choice("cbis_ddsm", "shared_patients", self.shared_patients, SHARED_PATIENTS)

    @cached_property
    def listed(self) -> LesionTables:
        """What the tables list."""
        return LesionTables.read(self.root / self.tables)

    @cached_property
    def films(self) -> dict[Film, list[Lesion]]:
        """Lesions by view of a breast: an image has one file or two."""
        films: dict[Film, list[Lesion]] = {}
        for lesion in self.listed.lesions:
            films.setdefault(lesion.film, []).append(lesion)
        return films

    @cached_property
    def shared(self) -> dict[str, str]:
        """Patients in both official parts, and which tables have them."""
        parts: dict[str, set[tuple[str, Split]]] = {}
        for lesion in self.listed.lesions:
            if lesion.kind in self.kinds:
                parts.setdefault(lesion.patient_id, set()).add((lesion.kind, lesion.split))
        return {
            patient: ", ".join(sorted(f"{kind} {split}" for kind, split in found))
            for patient, found in sorted(parts.items())
            if len({split for _, split in found}) > 1
        }

    def contents(self) -> Contents:
        """Return the records, and what to compare with the card."""
        lesions, files = self.listed.lesions, [_files(film) for film in self.films.values()]
        names: dict[str, list[str]] = {}
        for patient, parts in self.shared.items():
            names.setdefault(parts, []).append(patient)
        return Contents(
            rows=sum(self.listed.rows.values()),
            records=tuple(record for record, _ in self.images()),
            problems=tuple(self.listed.problems),
            facts={
                "rows_by_table": self.listed.rows,
                "lesions": len(lesions),
                "lesions_with_mask": sum(lesion.mask_path is not None for lesion in lesions),
                "pathology_of_lesions": {
                    name: sum(lesion.pathology == name for lesion in lesions)
                    for name in reversed(PATHOLOGIES)
                },
                "files": sum(map(len, files)),
                "images_with_two_files": sum(len(paths) > 1 for paths in files),
                "shared_patients": {"number": len(self.shared), "in": names},
            },
        )

    def images(self) -> Iterator[tuple[SourceRecord, list[str]]]:
        """Yield every image with the files that hold it, those of the masses first."""
        for film in self.films.values():
            wanted = [lesion for lesion in film if lesion.kind in self.kinds]
            if film[0].patient_id in self.shared and self._drops:
                continue
            # Copies in two parts stay two until it is said where the patient belongs.
            groups: dict[tuple[Split | None, str], list[Lesion]] = {}
            for lesion in wanted:
                key = (self._split(lesion), lesion.path if self.keep_copies else "")
                groups.setdefault(key, []).append(lesion)
            for (split, _), lesions in groups.items():
                yield self._record(film, lesions[0].path, split), _files(lesions)

    @property
    def _drops(self) -> bool:
        return self.official_split and self.shared_patients == "drop"

    def _split(self, lesion: Lesion) -> Split | None:
        if not self.official_split:
            return None
        chosen = self.shared_patients in tuple(Split) and lesion.patient_id in self.shared
        return Split(self.shared_patients) if chosen else lesion.split

    def _record(self, lesions: list[Lesion], path: str, split: Split | None) -> SourceRecord:
        patient, side, view = lesions[0].film
        return SourceRecord(
            img_path=path,
            patient_id=patient,
            exam_id=patient,  # Each patient has one; the Study Instance UID differs per file.
            laterality=side,
            view_position=view,
            split=split,
            gt_label=_labels(lesions, self.tasks),
            masks=_masks(lesions) if self.masks else (),
        )


def _masks(lesions: Iterable[Lesion]) -> tuple[FindingMask, ...]:
    return tuple(
        FindingMask(lesion.mask_path, lesion.kind, malignant=lesion.pathology == "MALIGNANT")
        for lesion in lesions
        if lesion.mask_path
    )


def _files(lesions: Iterable[Lesion]) -> list[str]:
    return list(dict.fromkeys(lesion.path for lesion in lesions))


def _labels(lesions: list[Lesion], tasks: dict[str, Task]) -> dict[str, float]:
    """Labels of an image: those of its worst lesion, outcome by outcome."""
    worst = max((lesion.pathology for lesion in lesions), key=PATHOLOGIES.index)
    density = next((lesion.density for lesion in lesions if lesion.density is not None), None)
    values = {
        "malignant": int(worst == "MALIGNANT"),
        "pathology": worst,
        "density": None if density is None else "ABCD"[density - 1],
        "birads": _highest(lesion.assessment for lesion in lesions),
        "subtlety": _highest(lesion.subtlety for lesion in lesions),
    } | {kind: int(any(lesion.kind == kind for lesion in lesions)) for kind in KINDS}
    # BI-RADS 0 is an incomplete examination, not the lowest grade: a label only where the
    # task has a class for it.
    if values["birads"] == 0 and "birads" in tasks and "0" not in tasks["birads"].classes:
        values["birads"] = None
    return encode_labels(tasks, values)


def _highest(grades: Iterable[int | None]) -> int | None:
    return max((grade for grade in grades if grade is not None), default=None)
