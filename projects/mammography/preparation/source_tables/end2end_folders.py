"""The original of end2end: folders of pictures by split and label."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.source_tables.end2end_lesions import (
    Cancers,
    Lesion,
    LesionTable,
    masks_of_lesions,
)
from mammography.preparation.source_tables.end2end_pictures import (
    FileNames,
    Film,
    Picture,
    Pictures,
)
from mammography.preparation.tables import Row, TableError
from mammography.terms import Split

_LABELS = {"neg": False, "pos": True}

logger = logging.getLogger(__name__)


def find_folders(root: Path) -> dict[Split, Path]:
    """Return the folders that are called by a split and hold ``neg`` or ``pos``.

    Raises:
        TableError: If a split has two.
    """
    found: dict[Split, Path] = {}
    for folder in sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []:
        split = _split(folder.name)
        if split is None or not any((folder / label).is_dir() for label in _LABELS):
            continue
        if split in found:
            raise TableError(
                f"{root} must hold one folder of {split}, got {found[split].name}, {folder.name}"
            )
        found[split] = folder
    return {split: found[split] for split in Split if split in found}


def _split(name: str) -> Split | None:
    try:
        return Split(cells.term(Split)(name))
    except cells.CellError:
        return None


@dataclass
class FolderReader:
    """List pictures: their folder tells split and label, their name the rest.

    Args:
        root: Folder of the source.
        names: How a path tells its patient.
        lesions: The table of lesions, when there is one; it must not contradict.
        cancers: Which breasts have cancer, when that is known; it must not contradict.
        mask_path: Reader of paths that start from the folder of the masks.
    """

    root: Path
    names: FileNames
    lesions: LesionTable
    cancers: Cancers
    mask_path: Callable[[object], str]
    problems: cells.Problems = field(default_factory=lambda: cells.Problems("files"))
    seen: set[Film | None] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    pos_without_cancer: int = 0

    @cached_property
    def _films(self) -> dict[Film, list[Lesion]]:
        return self.lesions.films

    def read(self, images: str = "") -> Pictures:
        """List the pictures below a folder.

        Raises:
            TableError: If it holds no folders of splits.
        """
        splits = find_folders(self.root / images)
        if not splits:
            raise TableError(
                f"{self.root / images} must hold folders SPLIT/neg and SPLIT/pos, got none"
            )
        counts, found = {}, []
        for split, folder in splits.items():
            for label in _LABELS:
                files = sorted(p for p in (folder / label).rglob("*") if _is_listed(p))
                counts[f"{folder.name}/{label}"] = len(files)
                found += [self._picture(folder, file, split, label) for file in files]
        understood = tuple(picture for picture in found if picture)
        return Pictures(
            sum(counts.values()),
            understood,
            (self.problems, self.lesions.problems),
            {"files_by_folder": counts} | self._lesion_facts(),
        )

    def _picture(self, folder: Path, file: Path, split: Split, label: str) -> Picture | None:
        before = len(self.problems.found)
        # A colon would end the place of the row in the account.
        name = file.as_posix().replace(":", "_").removeprefix(f"{self.root.as_posix()}/")
        row = Row(name, {"file": str(file.absolute()), "folder": label})
        path = self.problems.need(row, "file", cells.path_below(self.root))
        named = path and self.names.read(self.problems, row, "file", path)
        if not (path and named):
            return None
        side, view = named.get("laterality"), named.get("view_position")
        picture = Picture(path, _LABELS[label], named["patient"], side, view, split)
        lesions = self._films.get(picture.film, []) if picture.film else []
        self.seen.add(picture.film)
        if self.labels.setdefault(file.relative_to(folder / label).as_posix(), label) != label:
            self.problems.add(row, "folder", "be one for a picture, which lies in both", label)
        self._compare(row, picture, any(lesion.malignant for lesion in lesions))
        if len(self.problems.found) > before:
            return None
        return replace(picture, masks=masks_of_lesions(lesions, self.mask_path))

    def _compare(self, row: Row, picture: Picture, cancer_is_outlined: bool) -> None:
        label = row.cells["folder"]
        if cancer_is_outlined and not picture.malignant:
            self.problems.add(row, "folder", "be pos where a lesion is MALIGNANT", label)
        breast = picture.film and picture.film[:2]
        if breast and picture.malignant and self.cancers.get(breast) is False:
            self.problems.add(row, "folder", "be neg where the breast has no cancer", label)
        if picture.malignant and self.lesions.rows and not cancer_is_outlined:
            self.pos_without_cancer += 1

    def _lesion_facts(self) -> dict[str, Any]:
        """Count what does not fit together, where there is a table of lesions."""
        if not self.lesions.rows:
            return {}
        missing = sum(lesion.film not in self.seen for lesion in self.lesions.lesions)
        if missing or self.pos_without_cancer:
            logger.warning(
                "source end2end: lesions of no picture: %d, pictures in pos without a MALIGNANT "
                "lesion: %d",
                missing,
                self.pos_without_cancer,
            )
        return self.lesions.facts | {
            "lesions_of_no_picture": missing,
            "pos_without_malignant_lesion": self.pos_without_cancer,
        }


def _is_listed(path: Path) -> bool:
    # A link to nowhere is listed too, and rejected by the preparation.
    return not path.is_dir() and not path.name.startswith(".")
