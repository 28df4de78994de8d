"""The marks of EMBED: boxes of the metadata table, in pixels of the file that they lie on."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.headers.peek import peek
from mammography.structures.annotation import Finding

Roi = tuple[float, float, float, float]  # Left, top, right, bottom.

LABEL = "mark of a radiologist"
_TAGS = ["PatientOrientation", "ImageLaterality", "ViewPosition", "Columns"]
_MIRRORED_VIEWS = ("CC", "MLO", "ML")


def read_rois(value: object) -> tuple[Roi, ...]:
    """Read a literal list of ``ymin, xmin, ymax, xmax``, nested as it may be.

    Raises:
        CellError: If it is none.

    Example:
        >>> read_rois("((1165, 822, 1294, 1000),)"), read_rois("[]")
        (((822.0, 1165.0, 1000.0, 1294.0),), ())
    """
    try:
        ends = list(_flat(ast.literal_eval(str(value))))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise cells.CellError("be a list of [ymin, xmin, ymax, xmax]") from error
    boxes = [ends[i : i + 4] for i in range(0, len(ends), 4)]
    if not all(len(b) == 4 and 0 <= b[0] < b[2] and 0 <= b[1] < b[3] for b in boxes):
        raise cells.CellError("be a list of [ymin, xmin, ymax, xmax] with min < max")
    return tuple((left, top, right, bottom) for top, left, bottom, right in boxes)


def _flat(value: object) -> Iterator[float]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
    else:
        raise TypeError


def as_findings(rois: Iterable[Roi]) -> tuple[Finding, ...]:
    """Return marks as findings: nobody says what they are."""
    return tuple(Finding(roi, LABEL) for roi in rois)


def to_dicom(rois: Iterable[Roi], file: Path) -> tuple[Roi, ...]:
    """Move boxes from the publishers' PNG to the DICOM file that it was made of.

    The PNG files were mirrored, so that all chest walls lie on the left, by the patient
    orientation of the header.

    Args:
        rois: In pixels of the PNG.
        file: The DICOM file; one that cannot be read is rejected later, and gets no box.

    References:
        Emory-HITI/EMBED_Open_Data: DCM_to_PNG.ipynb (when to mirror), Sample_Notebook.ipynb
        (boxes drawn on mirrored pixels).
    """
    header = peek(file, _TAGS)
    columns = header.get("Columns")
    if not isinstance(columns, int):
        return ()
    if not _is_mirrored(header):
        return tuple(rois)
    return tuple(
        (columns - right, top, columns - left, bottom) for left, top, right, bottom in rois
    )


def _is_mirrored(header: Mapping[str, Any]) -> bool:
    if str(header.get("ViewPosition") or "") not in _MIRRORED_VIEWS:
        return False
    orientation = header.get("PatientOrientation")
    if isinstance(orientation, Sequence) and orientation:
        return str(orientation[0]) == "P"
    return str(header.get("ImageLaterality") or "") == "R"
