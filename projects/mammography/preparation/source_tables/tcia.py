"""Find the files of a download from The Cancer Imaging Archive, whatever its folders.

The archive's NBIA Data Retriever writes ``<collection>/<PatientID>/<study>/<series>/1-1.dcm``.
Study and series are named by their UID ("classic"), or end in its last five digits
("descriptive", such as ``1.000000-full mammogram images-63992``).
"""

import logging
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

_UID_DIGITS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TciaDownload:
    """The folders of some patients below a root.

    Args:
        root: Where to look; links to folders are not followed.
        patients: Names of the folders to find: the values of PatientID.
    """

    root: Path
    patients: Collection[str]
    _folders: dict[str, list[Path]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Walk once through the folders down to those of the patients."""
        wanted = set(self.patients)
        found: dict[str, list[Path]] = {}
        for parent, children, _ in os.walk(self.root):
            for name in wanted.intersection(children):
                found.setdefault(name, []).append(Path(parent, name))
            # What lies in the folder of a patient is looked at when it is asked for.
            children[:] = sorted(set(children) - wanted)
        object.__setattr__(self, "_folders", found)

    def files_of(self, patient: str) -> list[Path]:
        """Return the DICOM files of a patient, in order.

        Raises:
            ValueError: If two folders of that name hold some.
        """
        by_folder = [_dicom_files(folder) for folder in self._folders.get(patient, [])]
        filled = [files for files in by_folder if files]
        if len(filled) > 1:
            raise ValueError(
                f"{self.root} must hold one folder {patient} with DICOM files, got "
                f"{len(filled)}: give the folder of one download as --root"
            )
        return filled[0] if filled else []

    def find(self, path: str) -> str | None:
        """Return where the file of a table lies, relative to the root.

        Args:
            path: ``<PatientID>/<study UID>/<series UID>/<file>``, as the tables have it.

        Returns:
            The path itself if it is right, that of the only DICOM file of the series
            otherwise; ``None`` when there is none, or several may be meant, which is
            logged.

        Raises:
            ValueError: If two folders hold files of the patient.
        """
        if (self.root / path).is_file():
            return path
        patient, *uids = PurePosixPath(path).parts[:-1]
        files = self.files_of(patient)
        if len(files) > 1:
            files = [file for file in files if _lies_in(file, uids)]
        if len(files) > 1:
            logger.warning(
                "%s must hold one DICOM file, got %d: none was taken", files[0].parent, len(files)
            )
        return files[0].relative_to(self.root).as_posix() if len(files) == 1 else None

    def candidates(self, path: str) -> tuple[str, ...]:
        """Return all files that a path of a table may mean, the likeliest first.

        Where several files lie in one folder of a patient, the download keeps no name by
        which the table tells them apart.

        Args:
            path: ``<PatientID>/<study UID>/<series UID>/<file>``, as the tables have it.

        Returns:
            Relative to the root: the path itself if it is there, the files of its series,
            then other files of the patient.

        Raises:
            ValueError: If two folders hold files of the patient.
        """
        patient, *uids = PurePosixPath(path).parts[:-1]
        named = self.root / path
        files = sorted(
            self.files_of(patient), key=lambda file: (file != named, not _lies_in(file, uids))
        )
        return tuple(file.relative_to(self.root).as_posix() for file in files)


def _dicom_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".dcm")


def _lies_in(file: Path, uids: list[str]) -> bool:
    """Whether the folders above a file are those of these UIDs, by either naming."""
    names = [folder.name for folder in reversed(file.parents[: len(uids)])]
    return all(
        name == uid or name.endswith(f"-{uid[-_UID_DIGITS:]}")
        for name, uid in zip(names, uids, strict=True)
    )
