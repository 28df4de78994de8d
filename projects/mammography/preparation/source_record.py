"""What a converter knows of an image beyond what an annotation file tells."""

from dataclasses import dataclass

from mammography.structures.annotation import ImageRecord


@dataclass(frozen=True)
class FindingMask:
    """A lesion that lies in a file of its own, as a mask of the size of the image.

    A converter says which file; it does not open it. The preparation reads it where it
    reads the image, in parallel, and makes a finding with box and outline of it. The mask
    is a DICOM, PNG, NPY, TIFF or PGM file of two values, the higher one where the lesion
    is, in the rows and columns of the image before it is cropped, scaled or mirrored. What
    is done with other files says :func:`mammography.preparation.finding_masks.find_findings`;
    a file that is absent or no mask is a doubt and costs the finding, not the image.

    Attributes:
        path: File, relative to the folder of the source.
        label: What it is, e.g. ``mass``.
        malignant: Whether it is cancer, when known.
        other_paths: Files that may be the mask if ``path`` is none, where the source does
            not tell them apart.

    Example:
        >>> FindingMask("masks/17.png", "mass", malignant=True).paths
        ('masks/17.png',)
    """

    path: str
    label: str
    malignant: bool | None = None
    other_paths: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All files that may be the mask, the likeliest first."""
        return (self.path, *self.other_paths)


@dataclass(frozen=True)
class SourceRecord(ImageRecord):
    """One image as a source gives it, with what the preparation has to look up in files.

    Attributes:
        masks: Lesions whose outlines lie in files of their own.
    """

    masks: tuple[FindingMask, ...] = ()


def masks_of(record: ImageRecord) -> tuple[FindingMask, ...]:
    """Return the masks of an image; of a record without such files none."""
    return record.masks if isinstance(record, SourceRecord) else ()
