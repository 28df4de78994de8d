"""The progress bar of long work."""

import sys
from typing import Any

from tqdm import tqdm

_SCREEN_S, _LOG_S = 0.2, 10.0


def progress_bar(title: str, total: int, *, show: bool, done: int = 0) -> "tqdm[Any]":
    """Return a bar that counts images and tells the rate; in a log file it speaks up rarely.

    Args:
        title: Text in front.
        total: Number of images.
        show: Whether to show it at all.
        done: Images that need no work.
    """
    every_s = _SCREEN_S if sys.stderr.isatty() else _LOG_S
    return tqdm(
        desc=title, total=total, initial=done, unit="image", disable=not show, mininterval=every_s
    )
