"""What the PNG files of a prepared source show, and whether the records say the same."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast import LOW_RESOLUTION
from mammography.functional.breast_mask import Side, chest_wall_side
from mammography.functional.png16 import decode_png16
from mammography.preparation.checks.problem import Problem
from mammography.preparation.rejection import CRASHED
from mammography.structures.annotation import ImageRecord
from mammography.terms import Laterality

Facts = Mapping[str, Any]

_NO_BACKGROUND = 0.98  # Of an image filled by more than that nobody can tell the chest wall.
_SYSTEMATIC = 0.5  # Sides that are wrong more often are wrong by rule, not by accident.


def examine_image(path: Path) -> dict[str, Any]:
    """Read a PNG and return what can be compared with its record, as plain values.

    Returns:
        ``unreadable`` with the reason, or ``size_hw``, ``dtype``, ``digest`` of the pixels,
        whether all are 0 as ``is_empty``, and ``chest_wall`` where that can be told.
    """
    try:
        pixels = decode_png16(path.read_bytes())
    except FileNotFoundError:
        return {"unreadable": "is missing"}
    except OSError as error:
        return {"unreadable": f"cannot be read ({type(error).__name__})"}
    except Exception as error:  # Damage takes many forms.
        return {"unreadable": f"cannot be decoded ({type(error).__name__}: {error})"}
    digest = blake2b(np.ascontiguousarray(pixels).data, digest_size=16)
    digest.update(repr((pixels.shape, pixels.dtype)).encode())
    return {
        "size_hw": list(pixels.shape),
        "dtype": str(pixels.dtype),
        "digest": digest.hexdigest(),
        "is_empty": not pixels.any(),
        "chest_wall": _chest_wall(pixels),
    }


def _chest_wall(pixels: NDArray[Any]) -> Side | None:
    if pixels.ndim != 2:
        return None
    step = max(max(pixels.shape) // LOW_RESOLUTION, 1)
    mask = pixels[::step, ::step] > 0
    return chest_wall_side(mask) if 0 < mask.mean() < _NO_BACKGROUND else None


def bad_images(records: Sequence[ImageRecord], facts: Sequence[Facts | None]) -> list[Problem]:
    """Find images that are missing, unreadable, empty, not of 16 bits or of another size."""
    return [
        Problem("images", record.img_path, fault)
        for record, found in zip(records, facts, strict=True)
        for fault in _faults(record, found)
    ]


def _faults(record: ImageRecord, found: Facts | None) -> list[str]:
    if found is None:
        return [CRASHED]
    if "unreadable" in found:
        return [found["unreadable"]]
    faults = []
    if found["dtype"] != "uint16" or len(found["size_hw"]) != 2:
        channels = f" of {found['size_hw'][2]} channels" if len(found["size_hw"]) > 2 else ""
        faults.append(f"must be 16-bit grey, got {found['dtype']}{channels}")
    if record.size_hw is not None and tuple(found["size_hw"][:2]) != record.size_hw:
        faults.append(f"size_hw must be {list(record.size_hw)}, got {found['size_hw'][:2]}")
    if found["is_empty"]:
        faults.append("must show a breast, all its pixels are 0")
    return faults


def same_pixels(records: Sequence[ImageRecord], facts: Sequence[Facts | None]) -> list[Problem]:
    """Find images that are equal pixel by pixel; across splits it is an error."""
    groups: dict[str, list[ImageRecord]] = defaultdict(list)
    for record, found in zip(records, facts, strict=True):
        # Empty images are all the same, and a problem of their own.
        if found and not found.get("is_empty", True):
            groups[found["digest"]].append(record)
    return [_same(group) for group in groups.values() if len(group) > 1]


def _same(group: Sequence[ImageRecord]) -> Problem:
    names = ", ".join(str(record.image_id or record.img_path) for record in group)
    splits = sorted({str(record.split) for record in group})
    patients = len({record.patient_id for record in group})
    whose = "one patient" if patients == 1 else f"{patients} patients"
    text = f"have the same pixels, of {whose} in {' and '.join(splits)}"
    return Problem("duplicates", names, text, is_error=len(splits) > 1)


def wrong_sides(records: Sequence[ImageRecord], facts: Sequence[Facts | None]) -> list[Problem]:
    """Find images whose chest wall lies where that of the other breast would.

    A record without side or geometry cannot be judged. Single images are a warning, as
    some are odd or mirrored at the source; more than half are an error.
    """
    problems, judged = [], 0
    for record, found in zip(records, facts, strict=True):
        expected = _expected_side(record)
        seen = found.get("chest_wall") if found else None
        if expected is None or seen is None:
            continue
        judged += 1
        if seen != expected:
            text = f"laterality {record.laterality} needs the chest wall at the {expected}"
            text += f", the picture has it at the {seen}"
            problems.append(Problem("laterality", str(record.image_id), text, is_error=False))
    if problems and len(problems) > _SYSTEMATIC * judged:
        text = f"is not that of the picture in {len(problems)} of {judged} images: sides or flips"
        problems.append(Problem("laterality", "all.json", f"{text} are mixed up"))
    return problems


def _expected_side(record: ImageRecord) -> Side | None:
    if record.laterality is None or record.geometry is None:
        return None
    at_left = (record.laterality is Laterality.LEFT) != record.geometry.flipped
    return "left" if at_left else "right"
