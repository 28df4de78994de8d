"""The five classes of patches, and which of them a finding belongs to."""

from mammography.structures.annotation import Finding
from mammography.structures.task import Task
from mammography.terms import TaskKind

CLASSES = (
    "background",
    "malignant_calcification",
    "benign_calcification",
    "malignant_mass",
    "benign_mass",
)
BACKGROUND = 0
LESION_TASK = Task("lesion", TaskKind.MULTICLASS, CLASSES)

OTHER_KIND = "neither mass nor calcification"
UNKNOWN_MALIGNANCY = "not known whether malignant"

# Labels of findings, as the sources give them; all others are neither.
_KINDS = {
    "mass": "mass",
    "spiculated region": "mass",
    "calcification": "calcification",
    "calcification cluster": "calcification",
    "suspicious_calcification": "calcification",
}


class NoClassError(ValueError):
    """A finding belongs to none of the classes; the text says why."""


def class_of(finding: Finding, image_malignant: float | None = None) -> int:
    """Return the index of the class of a finding in :data:`CLASSES`.

    Args:
        finding: Its ``label`` says what it is, ``malignant`` whether it is cancer.
        image_malignant: Label of its image, 0 or 1, to be taken where the finding itself does
            not tell.

    Raises:
        NoClassError: If it is no mass and no calcification, or nothing tells whether it is
            malignant.

    References:
        The numbers are those of the published patch sets of end2end.

    Example:
        >>> class_of(Finding((0, 0, 9, 9), "mass", malignant=True))
        3
        >>> class_of(Finding((0, 0, 9, 9), "calcification cluster"), image_malignant=0.0)
        2
    """
    kind = _KINDS.get(finding.label)
    if kind is None:
        raise NoClassError(OTHER_KIND)
    malignant = image_malignant if finding.malignant is None else finding.malignant
    if malignant is None:
        raise NoClassError(UNKNOWN_MALIGNANCY)
    return CLASSES.index(f"{'malignant' if malignant else 'benign'}_{kind}")
