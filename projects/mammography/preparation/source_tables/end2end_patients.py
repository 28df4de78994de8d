"""The original of end2end: lists of patients, one per split."""

from dataclasses import dataclass
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.source_tables.split_tables import STEMS
from mammography.preparation.tables import TableError
from mammography.terms import Split

_HEADER = "patient_id"


@dataclass(frozen=True)
class PatientLists:
    """Who is in which split.

    Attributes:
        entries: Patient and split, list by list; none where there are no lists.
    """

    entries: tuple[tuple[str, Split], ...]

    @classmethod
    def read(cls, root: Path) -> "PatientLists":
        """Read ``pat_train.txt`` and the like, or ``patient_train.txt``: one patient a line.

        A first line ``patient_id`` is a header.

        Raises:
            TableError: If a split has two lists, or one is no text.
        """
        entries: list[tuple[str, Split]] = []
        for split, stems in STEMS.items():
            names = [f"{word}_{stem}.txt" for word in ("pat", "patient") for stem in stems]
            files = [root / name for name in names if (root / name).is_file()]
            if len(files) > 1:
                raise TableError(
                    f"{root} must hold one list of {split}, "
                    f"got {', '.join(file.name for file in files)}"
                )
            entries += [(patient, split) for file in files for patient in _patients(file)]
        return cls(tuple(entries))

    @property
    def splits(self) -> dict[str, Split]:
        """Split by patient."""
        return dict(self.entries)


def _patients(path: Path) -> list[str]:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise TableError(f"{path} must be UTF-8 text: {error}") from error
    patients = [cells.identifier(line) for line in lines if line]
    return patients[1:] if patients[:1] == [_HEADER] else patients
