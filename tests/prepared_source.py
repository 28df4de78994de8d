"""A small prepared source that is in order, and ways to damage a copy of it."""

import json
from pathlib import Path

from mammography.functional.png16 import decode_png16, encode_png16
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.options import PreparationOptions
from mammography.preparation.study import DatasetOptions
from mammography.terms import Laterality, Split


def write_prepared_source(folder: Path, flip_to: Laterality | None = None) -> Path:
    """Draw phantoms, prepare them as the tool does, and return the prepared source."""
    options = DatasetOptions(
        source_options={
            "patients": "6", "image_size_hw": "192,160", "workers": "1", "prevalence": "0.6",
            "missing_view_rate": "0",
        },
        fractions={Split.TRAIN: 0.34, Split.VAL: 0.33, Split.TEST: 0.33},
        preparation=PreparationOptions(flip_to=flip_to),
    )  # fmt: skip
    prepare_dataset("phantom", folder / "phantom", folder / "drawn", options)
    return folder / "phantom"


def rows_of(root: Path, name: str = "all") -> list[dict]:
    """Return the rows of an annotation file."""
    return json.loads((root / "annotations" / f"{name}.json").read_text())["data_list"]


def edit_rows(root: Path, change, names=("all", "train", "val", "test")) -> None:
    """Replace every row of some annotation files by what ``change`` makes of it.

    Args:
        root: Folder of the source.
        change: Takes a row and gives one; ``None`` leaves it out.
        names: Of the files.
    """
    for name in names:
        path = root / "annotations" / f"{name}.json"
        content = json.loads(path.read_text())
        content["data_list"] = [row for old in content["data_list"] if (row := change(old))]
        path.write_text(json.dumps(content))


def edit_image(root: Path, row: dict, change) -> None:
    """Replace the pixels of an image."""
    path = root / row["img_path"]
    path.write_bytes(encode_png16(change(decode_png16(path.read_bytes()))))
