"""Keep a share of the patients of an annotation file."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mammography.functional.patient_fraction import draw_fraction, join_values
from mammography.structures.annotation import ImageRecord

STRATA = "strata"  # key of a row, until the patients are chosen


@dataclass(frozen=True)
class PatientFraction:
    """Which share of the patients to keep, and what they must be like.

    Attributes:
        of_patients: Share, in (0, 1].
        strata: Labels, fields and clinical variables in whose values the kept patients are like
            all of them; see :func:`~mammography.functional.patient_fraction.join_values` for a
            patient with several. A label counts also if its task was not chosen.
        seed: Seed of the draw; the same patients in each run.

    Raises:
        ValueError: If the share is none, or ``strata`` is a single word.
    """

    of_patients: float
    strata: Sequence[str] = ()
    seed: int = 0

    def __post_init__(self) -> None:  # noqa: D105
        if isinstance(self.strata, str) or not 0 < self.of_patients <= 1:
            raise ValueError(
                "fraction: of_patients must lie in (0, 1] and strata be several names, "
                f"got {self.of_patients} and {self.strata!r}"
            )

    def values_of(self, record: ImageRecord) -> tuple[Any, ...]:
        """Return the values of an image by which its patient is put into a stratum."""
        fields = {name: getattr(record, name) for name in record.__dataclass_fields__}
        known = {**fields, **record.clinic_vars, **record.gt_label}
        return tuple(known.get(name) for name in self.strata)

    def keep(self, rows: Sequence[dict[str, Any]], place: str) -> list[dict[str, Any]]:
        """Return the rows of the chosen patients.

        Args:
            rows: Of the images that are left after all other choices; each has ``strata``.
            place: Annotation file, for the errors.

        Raises:
            ValueError: If an image has no patient, or no image a value of a stratum.
        """
        images: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for row in rows:
            if row["patient_id"] is None:
                raise ValueError(
                    f"{place}: fraction must know the patient of every image, got none for "
                    f"{row['img_path']}: prepare the source with patient_id"
                )
            images[row["patient_id"]].append(row[STRATA])
        for column, name in enumerate(self.strata):
            if all(row[STRATA][column] is None for row in rows):
                raise ValueError(
                    f"{place}: fraction must divide by labels, fields or clinical variables of "
                    f"the images, got {name}, which none of them has"
                )
        strata = {
            patient: tuple(map(join_values, zip(*values, strict=True)))
            for patient, values in images.items()
        }
        kept = draw_fraction(strata, self.of_patients, self.seed)
        return [row for row in rows if row["patient_id"] in kept]
