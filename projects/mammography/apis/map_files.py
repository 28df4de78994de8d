"""Files of maps over images: arrays, pictures, and the way back into the DICOM."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.functional.affine import Matrix
from mammography.functional.overlay import (
    BENIGN,
    MALIGNANT,
    UNKNOWN,
    draw_boxes,
    draw_overlay,
    resample_map,
)
from mammography.functional.png16 import encode_png16
from mammography.structures.annotation import Finding

_COLOURS = {True: MALIGNANT, False: BENIGN, None: UNKNOWN}


def write_arrays(path: Path, content: Mapping[str, Any]) -> None:
    """Write an NPZ file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, **content)


def write_overlay(
    path: Path, image: NDArray[Any], heat: NDArray[Any], findings: Iterable[Finding] = ()
) -> None:
    """Write a PNG of a map over an image with the known lesions outlined.

    Shapes:
        image, heat ``(H, W)``, in [0, 1].
    """
    known = list(findings)
    picture = draw_overlay(image, heat)
    picture = draw_boxes(picture, [f.box for f in known], [_COLOURS[f.malignant] for f in known])
    _, png = cv2.imencode(".png", picture[..., ::-1])
    _write_bytes(path, png.tobytes())


def write_source_map(
    path: Path, heat: NDArray[Any], to_source: Matrix, source_hw: tuple[int, int]
) -> None:
    """Write a map on the pixels of the DICOM as a 16-bit PNG, 1 as white.

    Shapes:
        heat ``(h, w)``, in [0, 1].

    Args:
        path: The file.
        heat: The map.
        to_source: From places of the map to pixels of the DICOM.
        source_hw: Size of the DICOM.
    """
    on_source = resample_map(heat, to_source, source_hw)
    _write_bytes(path, encode_png16(np.round(on_source.clip(0, 1) * 65535).astype(np.uint16)))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON."""
    _write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())


def _write_bytes(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
