"""A look into the header of a DICOM file, for converters that need to know what it says."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom

from mammography.preparation.decoding.bounded_file import BoundedFile
from mammography.preparation.decoding.deflated import check_inflated_size
from mammography.preparation.decoding.discretion import discretion


def peek(path: Path, keywords: Sequence[str]) -> dict[str, Any]:
    """Return some attributes of a file, those that are there.

    No file is so bad that it would end the reading of a source: of a damaged one nothing is
    returned, and the preparation says later what is wrong.

    Args:
        path: The file.
        keywords: The attributes, as pydicom calls them.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - that of Path raises where it may not look
        return {}
    try:
        with BoundedFile(path) as file, discretion():
            check_inflated_size(file)
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(keywords))
            return {name: header[name].value for name in keywords if name in header}
    except Exception:  # A damaged header breaks pydicom in many ways.
        return {}
