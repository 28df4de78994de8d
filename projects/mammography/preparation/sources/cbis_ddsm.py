"""CBIS-DDSM: digitised film with lesions of known pathology, from its four tables."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mammography.preparation.contents import Contents
from mammography.preparation.source_tables.cbis_ddsm_images import CbisDdsm
from mammography.preparation.source_tables.cbis_ddsm_lesions import KINDS
from mammography.preparation.source_tables.tcia import TciaDownload
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.IMAGE
PUBLIC = True
FILE_OPTIONS = ("tables",)
DEFAULT_TASKS = ("malignant:binary", "density:ordinal=A,B,C,D", "birads:ordinal=1,2,3,4,5")


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    tables: str = "",
    kinds: tuple[str, ...] = KINDS,
    official_split: bool = True,
    shared_patients: str = "refuse",
    keep_copies: bool = False,
) -> Iterator[ImageRecord]:
    """Read one record per view of a breast.

    Labels are those of all lesions of the view in all four tables, also where files of one
    kind alone are prepared. An image that is not there keeps the path of the table, by
    which the preparation rejects it.

    Args:
        root: Folder that holds the images, at any depth.
        tasks: Some of ``malignant``, ``density``, ``birads``, ``pathology``, ``subtlety``,
            ``mass`` and ``calcification``.
        tables: Folder of the four tables if it is not ``root``; relative to it.
        kinds: Whose files: ``mass``, ``calcification`` or both.
        official_split: Whether the split of the tables is kept.
        shared_patients: What becomes of patients whom the official split has in both
            parts: ``refuse`` to prepare anything, put them whole into ``train`` or
            ``test``, or ``drop`` them.
        keep_copies: Whether both files are kept of an image that the collection has twice,
            once for its masses and once for its calcifications.

    Raises:
        TableError: If a table cannot be read, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, patients are in both parts, or two
            downloads lie below ``root``.
    """
    source = CbisDdsm(root, tasks, tables, kinds, official_split, shared_patients, keep_copies)
    source.contents().check()
    if source.shared and official_split and shared_patients == "refuse":
        raise ValueError(
            "source cbis_ddsm: no patient must be in both parts of the official split, got "
            f"{len(source.shared)}: {', '.join(source.shared)}: say what becomes of them with "
            "--source-options shared_patients=train (or test, or drop), or split anew with "
            "official_split=false"
        )
    images = list(source.images())
    download = TciaDownload(root, {path.partition("/")[0] for _, paths in images for path in paths})
    for record, paths in images:
        found = (download.find(path) for path in paths)
        yield replace(record, img_path=next(filter(None, found), record.img_path))


def read_contents(root: Path, tasks: dict[str, Task], **options: Any) -> Contents:
    """Read what the four tables say; the options are those of :func:`read_records`."""
    return CbisDdsm(root, tasks, **options).contents()
