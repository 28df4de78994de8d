"""The DICOM files of INbreast, whose names alone tell whose images are whose."""

import re
from dataclasses import dataclass
from pathlib import Path

from mammography.terms import Laterality

FOLDER = "AllDICOMs"
# The view is left to the table, which tells MLO where the names have ML.
_NAME = re.compile(r"(?P<number>\d+)_(?P<patient>[0-9a-fA-F]{16})_MG_(?P<side>[LR])_[A-Z]+_ANON")


@dataclass(frozen=True)
class ImageFile:
    """One file.

    Attributes:
        name: Its name.
        patient_id: The 16 hex digits in it.
        laterality: The side in it.
    """

    name: str
    patient_id: str
    laterality: Laterality


@dataclass(frozen=True)
class ImageFiles:
    """The files of the folder ``AllDICOMs``; their names are read, not they.

    Attributes:
        files: By number of the image.
        others: How many DICOM files have a name of another form.
    """

    files: dict[str, ImageFile]
    others: int = 0

    @classmethod
    def find(cls, root: Path) -> "ImageFiles":
        """List the folder; there are none where it does not exist.

        Raises:
            ValueError: If two files are of the same image.
        """
        files: dict[str, ImageFile] = {}
        others = 0
        for path in sorted((root / FOLDER).glob("*")):
            if path.suffix.lower() != ".dcm" or path.name.startswith("."):
                continue
            match = _NAME.fullmatch(path.stem)
            if match is None:
                others += 1
                continue
            if match["number"] in files:
                raise ValueError(
                    f"{root / FOLDER} must hold one file of each image, got two of "
                    f"{match['number']}: keep the one of the release"
                )
            files[match["number"]] = ImageFile(
                path.name, match["patient"].lower(), Laterality(match["side"])
            )
        return cls(files, others)

    def path(self, number: str) -> str:
        """Return where the file of an image is, or would be, relative to the root."""
        file = self.files.get(number)
        return f"{FOLDER}/{file.name if file else f'{number}.dcm'}"
