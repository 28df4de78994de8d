"""What a converter knows of an image beyond what an annotation file tells."""

from dataclasses import dataclass

from mammography.structures.annotation import ImageRecord


@dataclass(frozen=True)
class FindingMask:
    """A lesion that lies in a file of its own, as a mask of the size of the image.

    The preparation reads it where it reads the image, and makes its box and outline.

    Attributes:
        path: File, relative to the folder of the source.
        label: What it is, e.g. ``mass``.
        malignant: Whether it is cancer, when known.
    """

    path: str
    label: str
    malignant: bool | None = None


@dataclass(frozen=True)
class SourceRecord(ImageRecord):
    """One image as a source gives it, with what the preparation has to look up in files.

    Attributes:
        masks: Lesions whose outlines lie in files of their own.
    """

    masks: tuple[FindingMask, ...] = ()
