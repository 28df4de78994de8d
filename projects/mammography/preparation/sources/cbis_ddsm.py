"""CBIS-DDSM: digitised film with lesions of known pathology, from its four tables."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from mammography.preparation.contents import Contents
from mammography.preparation.source_record import FindingMask, SourceRecord
from mammography.preparation.source_tables.cbis_ddsm_images import CbisDdsm
from mammography.preparation.source_tables.cbis_ddsm_lesions import KINDS
from mammography.preparation.source_tables.tcia import TciaDownload
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.IMAGE
PUBLIC = True
FILE_OPTIONS = ("tables",)
DEFAULT_TASKS = ("malignant:binary", "density:ordinal=A,B,C,D", "birads:ordinal=1,2,3,4,5")

logger = logging.getLogger(__name__)


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    tables: str = "",
    kinds: tuple[str, ...] = KINDS,
    official_split: bool = True,
    shared_patients: str = "refuse",
    keep_copies: bool = False,
    masks: bool = True,
) -> Iterator[SourceRecord]:
    """Read one record per view of a breast.

    Labels and lesions are those of the view in all four tables, also where files of one
    kind alone are prepared. Which file of a lesion is its mask, the preparation finds out:
    neither names nor columns tell. An image that is not there keeps the path of the table,
    by which the preparation rejects it.

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
        masks: Whether lesions are outlined by their masks. Without any file of a lesion
            below ``root`` they are not, which is logged.

    Raises:
        TableError: If a table cannot be read, or with the list of its bad cells.
        ValueError: If an option or a task is unknown, patients are in both parts, or two
            downloads lie below ``root``.
    """
    source = CbisDdsm(
        root, tasks, tables, kinds, official_split, shared_patients, keep_copies, masks
    )
    source.contents().check()
    if source.shared and official_split and shared_patients == "refuse":
        raise ValueError(
            "source cbis_ddsm: no patient must be in both parts of the official split, got "
            f"{len(source.shared)}: {', '.join(source.shared)}: say what becomes of them with "
            "--source-options shared_patients=train (or test, or drop), or split anew with "
            "official_split=false"
        )
    images = list(source.images())
    folders = {path.partition("/")[0] for _, paths in images for path in paths}
    masks_listed = [mask.path for record, _ in images for mask in record.masks]
    folders |= {path.partition("/")[0] for path in masks_listed}
    download = TciaDownload(root, folders)
    candidates = {path: download.candidates(path) for path in masks_listed}
    if not any(candidates.values()):
        if candidates:
            logger.warning(
                "%s holds no file of a lesion: none of %d is outlined", root, len(candidates)
            )
        images = [(replace(record, masks=()), paths) for record, paths in images]
    for record, paths in images:
        found = (download.find(path) for path in paths)
        yield replace(
            record,
            img_path=next(filter(None, found), record.img_path),
            masks=tuple(_found(mask, candidates[mask.path]) for mask in record.masks),
        )


def _found(mask: FindingMask, paths: tuple[str, ...]) -> FindingMask:
    """Put the files of the download in place of that of the table, if there are any."""
    return replace(mask, path=paths[0], other_paths=paths[1:]) if paths else mask


def read_contents(root: Path, tasks: dict[str, Task], **options: Any) -> Contents:
    """Read what the four tables say; the options are those of :func:`read_records`."""
    return CbisDdsm(root, tasks, **options).contents()
