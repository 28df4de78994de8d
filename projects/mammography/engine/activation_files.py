"""Recordings of activations as files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mammography.engine.activation_recorder import ActivationRecorder

FORMAT = "mammography-activations-1"


def write_recording(path: Path, recorder: ActivationRecorder, about: Mapping[str, Any]) -> None:
    """Write what was recorded as NPZ, whole or not at all.

    The file holds ``format``, ``layers`` (names in the order of the forward pass), the arrays
    of :meth:`ActivationRecorder.arrays`, and what it is told about them. It needs no pickle:
    ``np.load(path)["backbone.bn1/values"]``.

    Args:
        path: File to write.
        recorder: What was recorded.
        about: Texts, numbers, or lists of texts, by name: ``phase``, ``iteration``, ``config``,
            ``model``, ``checkpoint``, ``image_id`` and ``domain`` of the images.
    """
    arrays = {name: np.array(value) for name, value in about.items() if value != []}
    arrays |= {"format": np.array(FORMAT), "layers": np.array(recorder.seen)}
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        np.savez(file, **arrays, **recorder.arrays())  # type: ignore[arg-type]
    unfinished.replace(path)


def remove_oldest(folder: Path, pattern: str, keep: int) -> None:
    """Remove all but the latest files ``..._<number>.npz``, as checkpoints are removed.

    Args:
        folder: Where they are.
        pattern: Which they are.
        keep: How many stay, >= 1.
    """
    files = sorted(folder.glob(pattern), key=lambda path: int(path.stem.rpartition("_")[2]))
    for path in files[:-keep]:
        path.unlink()
