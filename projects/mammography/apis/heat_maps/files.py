"""Files and pictures of heat maps."""

from pathlib import Path
from typing import Any

import numpy as np

from mammography.apis.heat_maps.network import BACKGROUND
from mammography.apis.heat_maps.seen import SeenImage
from mammography.apis.map_files import write_arrays, write_overlay, write_source_map
from mammography.functional.localisation import find_peaks

_LOWEST = 0.05  # of the peaks that are listed


def write_map(out: Path, seen: SeenImage) -> None:
    """Write ``maps/<image>.npz``: the maps, and where their places lie."""
    content: dict[str, Any] = {
        "maps": seen.maps,
        "breast": seen.breast.astype(np.float32),
        "classes": np.array(seen.classes),
        "window": seen.grid.window,
        "stride": seen.grid.stride,
        "image_hw": np.array(seen.grid.image_hw),
        "to_image": seen.grid.to_pixels(),
    }
    matrix, geometry = seen.to_source(), seen.record.geometry
    if matrix is not None and geometry is not None:
        content |= {"to_source": matrix, "source_hw": np.array(geometry.source_size_hw)}
    write_arrays(out / "maps" / f"{seen.name}.npz", content)


def write_pictures(out: Path, seen: SeenImage, *, source: bool) -> None:
    """Write ``overlays/<image>.png``, and ``source/<image>.png`` if asked for and possible."""
    heat, name = seen.lesion_map(), f"{seen.name}.png"
    write_overlay(out / "overlays" / name, seen.image, seen.on_image(heat), seen.record.findings)
    matrix, geometry = seen.to_source(), seen.record.geometry
    if source and matrix is not None and geometry is not None:
        write_source_map(out / "source" / name, heat, matrix, geometry.source_size_hw)


def list_peaks(seen: SeenImage) -> dict[str, Any]:
    """List the peaks of the map of any lesion, in pixels of the image and of the DICOM."""
    heat, grid, matrix = seen.where(), seen.grid, seen.to_source()
    others = [i for i, name in enumerate(seen.classes) if name != BACKGROUND]
    rows = []
    for row, column in find_peaks(heat, seen.radius / grid.stride, _LOWEST):
        best = max(others, key=lambda i: float(seen.maps[i, row, column]))
        place = np.array([column + 0.5, row + 0.5, 1.0])
        peak = {
            "lesion": round(float(heat[row, column]), 4),
            "class": seen.classes[best],
            "class_probability": round(float(seen.maps[best, row, column]), 4),
            "xy": (grid.to_pixels() @ place).tolist(),
        }
        peak |= {} if matrix is None else {"source_xy": (matrix @ place).round(2).tolist()}
        rows.append(peak)
    return {"image_id": seen.name, "img_path": seen.record.img_path, "peaks": rows}
