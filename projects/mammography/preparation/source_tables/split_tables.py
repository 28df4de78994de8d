"""Sources with one table per split: which file is which, and who is in two of them."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from pathlib import Path, PurePosixPath

from mammography.preparation import cells
from mammography.preparation.tables import SUFFIXES, TableError
from mammography.structures.annotation import ImageRecord
from mammography.terms import Split

STEMS = {
    Split.TRAIN: ("train", "training"),
    Split.VAL: ("val", "valid", "validation"),
    Split.TEST: ("test",),
}
_LISTED = 20


def find_split_tables(folder: Path) -> dict[Split, Path]:
    """Return the tables of a folder that are called by a split, such as ``validation.csv``.

    Raises:
        TableError: If a split has two.
    """
    tables = {}
    for split, stems in STEMS.items():
        names = [f"{stem}{suffix}" for stem in stems for suffix in SUFFIXES]
        found = [folder / name for name in names if (folder / name).is_file()]
        if len(found) > 1:
            raise TableError(
                f"{folder} must hold one table of {split}, "
                f"got {', '.join(path.name for path in found)}"
            )
        if found:
            tables[split] = found[0]
    return tables


def named_split_tables(root: Path, names: Mapping[Split, str]) -> dict[Split, Path]:
    """Return the tables that are named; those of the usual names when none is.

    Args:
        root: Folder that the names are relative to.
        names: File by split; empty where none is named.

    Raises:
        TableError: If a named one does not exist, there is none at all, or a split has two.
    """
    tables = {split: root / name for split, name in names.items() if name}
    for split, path in tables.items():
        if not path.is_file():
            raise TableError(f"{split} must be a table, got {path}, which does not exist")
    tables = tables or find_split_tables(root)
    if not tables:
        wanted = ", ".join(stem for stems in STEMS.values() for stem in stems)
        raise TableError(
            f"{root} must hold a table called {wanted} ({', '.join(SUFFIXES)}), got none: "
            "name them with --source-options train=FILE val=FILE test=FILE"
        )
    return tables


def all_or_none(root: Path, column: str, told: Mapping[str, bool]) -> bool:
    """Whether tables have a column of patients, which all of them must have, or none.

    Args:
        root: Where the tables lie.
        column: Name of the column.
        told: Whether a table has it, by its name.

    Raises:
        TableError: Naming those that lack it, where others have it.
    """
    lacking = [name for name, has in told.items() if not has]
    if 0 < len(lacking) < len(told):
        raise TableError(
            f"{root}: all tables must have a column {column} or none, "
            f"got none in {', '.join(lacking)}"
        )
    return not lacking


def path_from(root: Path, folder: str) -> Callable[[object], str]:
    """Return a reader of paths that start from a folder of their own.

    Args:
        root: Folder of the source, which the paths of records are relative to.
        folder: Where relative paths start: itself relative to the root, or absolute.
    """
    below = cells.path_below(root)

    def read(value: object) -> str:
        path = below(value)
        is_absolute = PurePosixPath(str(value).strip().replace("\\", "/")).is_absolute()
        return path if is_absolute or not folder else below(f"{folder}/{path}")

    return read


def in_two_splits(units: Iterable[tuple[Hashable, Split | None]]) -> dict[str, str]:
    """Return what is in more than one split, and in which.

    Example:
        >>> in_two_splits([("7", Split.TRAIN), ("8", Split.TRAIN), ("7", Split.TEST)])
        {'7': 'test, train'}
    """
    splits: dict[str, set[str]] = {}
    for unit, split in units:
        splits.setdefault(str(unit), set()).add(str(split))
    return {
        unit: ", ".join(sorted(found)) for unit, found in sorted(splits.items()) if len(found) > 1
    }


def refuse_two_splits(source: str, unit: str, found: Mapping[str, str]) -> None:
    """Refuse a source that has a patient or a breast in two splits.

    Raises:
        ValueError: Naming the first 20, and the way out.
    """
    if found:
        names = [f"{name} ({splits})" for name, splits in list(found.items())[:_LISTED]]
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise ValueError(
            f"source {source}: {unit} must be in one split, got {len(found)} in two: "
            f"{', '.join(names)}{more}: mend the tables, or split anew by patient with "
            "--source-options official_split=false"
        )


def patients_in_two_splits(records: Iterable[ImageRecord]) -> dict[str, str]:
    """Return the patients in more than one split, and in which."""
    return in_two_splits((record.patient_id, record.split) for record in records)
