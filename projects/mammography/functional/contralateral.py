"""The healthy breast of the same exam as the control of a cancer."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

SIDES = ("L", "R")


@dataclass(frozen=True)
class ContralateralMatch:
    """Which images serve as what; indices, in the order of the images.

    Attributes:
        matched: Both breasts of exams with a cancer in one of them.
        bilateral: Both breasts of exams with a cancer in each.
        one_sided: The breast with cancer of exams without the other breast.
        cancer_free: Exams without cancer.
        unknown: Images without patient, side or label.
    """

    matched: tuple[int, ...]
    bilateral: tuple[int, ...]
    one_sided: tuple[int, ...]
    cancer_free: tuple[int, ...]
    unknown: tuple[int, ...]


def match_contralateral(
    patients: Sequence[Hashable | None],
    exams: Sequence[Hashable | None],
    lateralities: Sequence[str | None],
    labels: Sequence[float | None],
) -> ContralateralMatch:
    """Sort images by what the two breasts of their exam have.

    Patient, age, density, machine and day are those of the cancer: what is left to tell the two
    breasts apart is the cancer. A breast has cancer when one of its images has.

    Args:
        patients: Pseudonym of each image's patient.
        exams: Pseudonym of the exam; a patient whose exams are not known has one.
        lateralities: ``L`` or ``R``.
        labels: 1 for cancer, 0 for none; None where it is not known.

    Raises:
        ValueError: If the columns differ in length, or a label is neither 0 nor 1.

    References:
        The matching of the RSNA 2022 screening data by patient in a published notebook, whose
        patients have one exam each.

    Example:
        >>> patients = ["p1", "p1", "p2", "p3", "p3", "p4", "p4"]
        >>> match = match_contralateral(patients, [None] * 7, "LRLLRLR", [1, 0, 1, 1, 1, 0, 0])
        >>> match.matched, match.one_sided, match.bilateral, match.cancer_free
        ((0, 1), (2,), (3, 4), (5, 6))
    """
    count = len(labels)
    if {len(patients), len(exams), len(lateralities)} != {count}:
        raise ValueError(
            "match_contralateral: there must be a patient, an exam and a side for each of "
            f"{count} labels, got {len(patients)}, {len(exams)} and {len(lateralities)}"
        )
    unknown: list[int] = []
    breasts: dict[Hashable, dict[str, list[int]]] = defaultdict(
        lambda: {side: [] for side in SIDES}
    )
    for index, (patient, exam, side, label) in enumerate(
        zip(patients, exams, lateralities, labels, strict=True)
    ):
        if label not in (0, 1, None):
            raise ValueError(f"match_contralateral: labels must be 0 or 1, got {label}")
        if patient is None or side not in SIDES or label is None:
            unknown.append(index)
        else:
            breasts[patient, exam][side].append(index)
    found: dict[str, list[int]] = defaultdict(list)
    for sides in breasts.values():
        found[_kind(sides, labels)] += _used(sides, labels)
    return ContralateralMatch(
        matched=tuple(sorted(found["matched"])),
        bilateral=tuple(sorted(found["bilateral"])),
        one_sided=tuple(sorted(found["one_sided"])),
        cancer_free=tuple(sorted(found["cancer_free"])),
        unknown=tuple(unknown),
    )


def _ill(images: Sequence[int], labels: Sequence[float | None]) -> bool:
    return any(labels[index] == 1 for index in images)


def _kind(sides: dict[str, list[int]], labels: Sequence[float | None]) -> str:
    ill = int(sum(_ill(images, labels) for images in sides.values()))
    if ill == 1:
        return "matched" if all(sides.values()) else "one_sided"
    return ("cancer_free", "", "bilateral")[ill]


def _used(sides: dict[str, list[int]], labels: Sequence[float | None]) -> list[int]:
    """Leave out the images without cancer of a breast that has it: no view shows it, or not yet."""
    return [
        index
        for images in sides.values()
        for index in images
        if labels[index] == 1 or not _ill(images, labels)
    ]
