"""Find the image files of a download, as they are published or as somebody converted them."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_SUFFIXES = (".dicom", ".dcm", ".png")
_LAYOUTS = ("{group}/{image}", "{group}_{image}")


@dataclass(frozen=True)
class ImageFolder:
    """Files named by their image, in folders named by their patient or exam.

    Args:
        root: Folder of the source.
        folder: Folder of the images, relative to the root.
        suffix: Of the published files.

    Example:
        >>> ImageFolder(Path("rsna"), "train_images", ".dcm").published("10006", "462822612")
        'train_images/10006/462822612.dcm'
    """

    root: Path
    folder: str
    suffix: str

    def published(self, group: str, image: str) -> str:
        """Return where the download has the file, relative to the root."""
        return str(PurePosixPath(self.folder, group, f"{image}{self.suffix}"))

    def find(self, group: str, image: str) -> str:
        """Return where the file is, relative to the root.

        Args:
            group: Name of its patient or exam.
            image: Name of the image.

        Returns:
            The first there is of ``GROUP/IMAGE`` and then ``GROUP_IMAGE``, each with the
            published suffix, as DICOM or as PNG; without any the published path, by which
            the preparation rejects it.
        """
        suffixes = dict.fromkeys((self.suffix, *_SUFFIXES))
        paths = (
            str(PurePosixPath(self.folder, f"{layout.format(group=group, image=image)}{suffix}"))
            for layout in _LAYOUTS
            for suffix in suffixes
        )
        there = (path for path in paths if (self.root / path).is_file())
        return next(there, self.published(group, image))
