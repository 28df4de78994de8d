"""Find missing images when a run begins, not when it reaches them."""

import os
from collections.abc import Iterable
from pathlib import Path


def check_images_exist(paths: Iterable[str], ann_file: str, hint: str) -> None:
    """Compare the paths with what lies in their folders, listing each folder once.

    Args:
        paths: Files; a URI (``scheme://...``) is not checked.
        ann_file: What names them, for the error.
        hint: What else could be wrong, for the error.

    Raises:
        FileNotFoundError: If a folder is missing or empty, or a file is missing.
    """
    listed: dict[str, set[str]] = {}
    missing = []
    for path in paths:
        if "://" in path:
            continue
        folder, name = os.path.split(path)
        if folder not in listed:
            listed[folder] = _names(folder or ".", ann_file, hint)
        if name not in listed[folder]:
            missing.append(path)
    if missing:
        raise FileNotFoundError(
            f"{ann_file}: every image must exist, {len(missing)} are missing, the first is "
            f"{missing[0]}: run tools/prepare_dataset.py again, {hint}"
        )


def _names(folder: str, ann_file: str, hint: str) -> set[str]:
    names = {entry.name for entry in os.scandir(folder)} if Path(folder).is_dir() else None
    if not names:
        raise FileNotFoundError(
            f"{folder} is {'missing' if names is None else 'empty'}, but {ann_file} names images "
            f"in it: run tools/prepare_dataset.py, {hint}"
        )
    return names
