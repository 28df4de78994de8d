"""The images of end2end, in whichever of its three forms they come."""

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
from mammography.preparation.source_record import SourceRecord
from mammography.preparation.source_tables.end2end_films import UNLISTED, FilmReader
from mammography.preparation.source_tables.end2end_folders import FolderReader, find_folders
from mammography.preparation.source_tables.end2end_lesions import (
    Cancers,
    LesionTable,
    has_lesions,
    read_cancers,
    read_lesions,
)
from mammography.preparation.source_tables.end2end_lists import find_lists, read_lists
from mammography.preparation.source_tables.end2end_patients import PatientLists
from mammography.preparation.source_tables.end2end_pictures import FileNames, Picture, Pictures
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.preparation.source_tables.patient_rule import choose_patient_rule, count_alike
from mammography.preparation.source_tables.split_tables import in_two_splits, path_from
from mammography.structures.task import Task

FORMS = ("auto", "lists", "folders", "lesions")
_OUTCOMES = ("malignant", "breast_malignant")
_FORMS_OF = {  # Options that say nothing in other forms.
    "label_column": ("lists",),
    "masks": ("folders", "lesions"),
    "table": ("folders", "lesions"),
    "unlisted": ("lesions",),
}
_IMAGES, _MASKS = "full_img_png", "roi_mask_png"  # As the scripts of the original call them.


@dataclass(frozen=True)
class End2End:
    """The files and what is asked of them.

    Args:
        root: Folder of the source.
        tasks: Some of ``malignant`` and ``breast_malignant``.
        form: One of ``auto``, ``lists``, ``folders`` and ``lesions``.
        images: Folder of the pictures, if it is not that of the form.
        masks: Folder of the masks, if it is not ``roi_mask_png``.
        table: Table of lesions, if it is not ``roi_mask_path``.
        label_column: Column of the label in lists.
        patient_pattern: Finds the patient in a path.
        image_is_patient: Whether every picture counts as a patient of its own.
        unlisted: What becomes of patients in no list.
        official_split: Whether the split of the source is kept.

    Raises:
        ValueError: If a task or an option is unknown.
    """

    root: Path
    tasks: dict[str, Task]
    form: str = "auto"
    images: str = ""
    masks: str = ""
    table: str = ""
    label_column: str = ""
    patient_pattern: str = ""
    image_is_patient: bool = False
    unlisted: str = "refuse"
    official_split: bool = True

    def __post_init__(self) -> None:
        """Refuse what the source cannot give."""
        check_task_names("end2end", self.tasks, _OUTCOMES)
        check_choice("end2end", "form", self.form, FORMS)
        check_choice("end2end", "unlisted", self.unlisted, UNLISTED)

    @cached_property
    def chosen_form(self) -> str:
        """The form, found by which files are there when it is not given.

        Raises:
            ValueError: If there are files of none, or of two.
        """
        if self.form != "auto":
            return self.form
        there = {
            "lists": bool(find_lists(self.root)),
            "folders": bool(find_folders(self.root / self.images)),
        }
        # Beside folders the table adds the lesions.
        there["lesions"] = has_lesions(self.root, self.table) and not there["folders"]
        found = [form for form, is_there in there.items() if is_there]
        if len(found) != 1:
            raise ValueError(
                f"source end2end: {self.root} must hold lists (train.csv and others), or folders "
                "(train/neg, train/pos and others), or a table of lesions (roi_mask_path.csv), "
                f"got {' and '.join(found) or 'none'}: give another --root, or choose with "
                f"--source-options form=FORM ({', '.join(FORMS[1:])})"
            )
        return found[0]

    @cached_property
    def patients(self) -> PatientLists:
        """Lists of patients, which only the table of lesions goes by."""
        return PatientLists.read(self.root) if self.chosen_form == "lesions" else PatientLists(())

    @cached_property
    def _cancers(self) -> tuple[Cancers, Problems]:
        return read_cancers(self.root) if self.chosen_form != "lists" else ({}, Problems(""))

    @cached_property
    def _lesions(self) -> LesionTable:
        if not has_lesions(self.root, self.table) and self.chosen_form != "lesions":
            return LesionTable()
        return read_lesions(self.root, self.table, self._cancers[0])

    @cached_property
    def films(self) -> FilmReader:
        """The images of the table of lesions."""
        return FilmReader(
            self._lesions,
            self.patients if self.official_split else PatientLists(()),
            self.unlisted,
            path_from(self.root, self.images or _IMAGES),
            path_from(self.root, self.masks or _MASKS),
        )

    @cached_property
    def pictures(self) -> Pictures:
        """What the form holds."""
        if self.chosen_form == "lesions":
            pattern = NamePattern(self.patient_pattern) if self.patient_pattern else None
            choose_patient_rule("end2end", "image", "patient_id", pattern, self.image_is_patient)
            return self.films.read()
        names = FileNames(self.patient_pattern, self.image_is_patient)
        if self.chosen_form == "lists":
            path = path_from(self.root, self.images)
            return read_lists(self.root, path, names, self.label_column)
        masks = path_from(self.root, self.masks or _MASKS)
        return FolderReader(self.root, names, self._lesions, self._cancers[0], masks).read(
            self.images
        )

    @property
    def patients_in_two(self) -> dict[str, str]:
        """Patients in two splits, and in which."""
        pairs = [(picture.patient_id, picture.split) for picture in self.pictures.found]
        return in_two_splits(self.patients.entries or pairs)

    def _check_options(self) -> None:
        """Refuse an option that would do nothing."""
        for name, forms in _FORMS_OF.items():
            is_given = getattr(self, name) != type(self).__dataclass_fields__[name].default
            if is_given and self.chosen_form not in forms:
                raise ValueError(
                    f"source end2end: {name} must be given with form {' or '.join(forms)} only, "
                    f"got {self.chosen_form}: leave it out"
                )
        if self.unlisted != "refuse" and not self.official_split:
            raise ValueError(
                "source end2end: unlisted must be refuse where official_split is false, which "
                f"asks no list, got {self.unlisted!r}: leave one of them out"
            )

    def contents(self) -> Contents:
        """Return the records, and what to compare with what is known of the study."""
        self._check_options()
        pictures = self.pictures
        return Contents(
            rows=pictures.rows,
            records=tuple(map(self._record, pictures.found)),
            problems=(*pictures.problems, self._cancers[1]),
            facts={
                "form": self.chosen_form,
                **pictures.facts,
                "masks": sum(len(picture.masks) for picture in pictures.found),
                "patients_in_two_splits": self.patients_in_two,
                "patients_alike": count_alike("end2end", {p.patient_id for p in pictures.found}),
            },
        )

    def _record(self, picture: Picture) -> SourceRecord:
        breast = picture.film and picture.film[:2]
        values = {
            "malignant": picture.malignant,
            "breast_malignant": self._cancers[0].get(breast) if breast else None,
        }
        return SourceRecord(
            img_path=picture.path,
            patient_id=picture.patient_id,
            laterality=picture.laterality,
            view_position=picture.view_position,
            split=picture.split if self.official_split else None,
            gt_label=encode_labels(self.tasks, values),
            masks=picture.masks,
        )
