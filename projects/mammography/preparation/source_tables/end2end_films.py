"""The original of end2end: full images with their table of lesions."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from mammography.preparation.source_tables.end2end_lesions import LesionTable, masks_of_lesions
from mammography.preparation.source_tables.end2end_patients import PatientLists
from mammography.preparation.source_tables.end2end_pictures import Picture, Pictures
from mammography.terms import Split

UNLISTED = ("refuse", "drop", *Split)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FilmReader:
    """Make one picture of each image that the table lists.

    Args:
        lesions: The table.
        patients: Who is in which split.
        unlisted: What becomes of patients in no list, where there are lists: ``refuse``
            leaves them without a split, ``drop`` leaves them out, else a split.
        image_path: Reader of paths that start from the folder of the images.
        mask_path: Reader of paths that start from the folder of the masks.
    """

    lesions: LesionTable
    patients: PatientLists
    unlisted: str
    image_path: Callable[[object], str]
    mask_path: Callable[[object], str]

    @property
    def in_no_list(self) -> list[str]:
        """Patients in no list, where there are lists."""
        listed = self.patients.splits
        known = {lesion.film[0] for lesion in self.lesions.lesions} if listed else set()
        return sorted(known - set(listed))

    def read(self) -> Pictures:
        """Return the pictures."""
        found, in_no_list, splits = [], set(self.in_no_list), self.patients.splits
        for (patient, side, view), lesions in self.lesions.films.items():
            if patient in in_no_list and self.unlisted == "drop":
                continue
            split = splits.get(patient)
            if patient in in_no_list and self.unlisted != "refuse":
                split = Split(self.unlisted)
            path = self.image_path(f"{lesions[0].name}.png")
            malignant = any(lesion.malignant for lesion in lesions)
            masks = masks_of_lesions(lesions, self.mask_path)
            found.append(Picture(path, malignant, patient, side, view, split, masks))
        if in_no_list:
            logger.warning(
                "source end2end: patients in no list: %d: %s", len(in_no_list), self.unlisted
            )
        without = set(splits) - {film[0] for film in self.lesions.films}
        facts = {
            "patients_in_no_list": len(in_no_list),
            "patients_of_lists_without_lesions": len(without),
        }
        return Pictures(
            self.lesions.rows, tuple(found), (self.lesions.problems,), self.lesions.facts | facts
        )
