"""Look at what the training transforms make of images, beside the images themselves."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmpretrain.registry import DATASETS
from numpy.typing import NDArray
from torch import Tensor

from mammography.apis.config import UsageError, load_config
from mammography.datasets.transforms.load_mammogram import read_mammogram, to_unit_range
from mammography.engine.seeding import SAMPLE, derive_seed, seed_generators
from mammography.reports.picture_sheet import Outline, Tile, draw_sheet, frame_picture, shrink

_NOTE = (
    "grey values as the network gets them, 0 black and 1 white; lesions outlined where asked for"
)


def write_pipeline_sheet(
    config: str | Path,
    out: Path,
    *,
    split: str = "train",
    limit: int = 8,
    versions: int = 4,
    seed: int = 0,
    findings: bool = False,
    cfg_options: Mapping[str, Any] | None = None,
) -> int:
    """Draw images before and after the transforms of a config, a row for each image.

    Args:
        config: The config file.
        out: PNG file to write.
        split: Whose data set and transforms: ``train``, ``val`` or ``test``.
        limit: How many images, spread evenly over the data set.
        versions: How often each is transformed.
        seed: Seed of the random transforms.
        findings: Whether to outline the lesions, moved as the pixels were.
        cfg_options: Changes of the config by dotted names.

    Returns:
        How many images the sheet shows.

    Raises:
        UsageError: If the config has no such data set.
        ValueError: If a number is not positive.
    """
    for name, number in (("limit", limit), ("versions", versions)):
        if number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")
    cfg = load_config(config, cfg_options)
    dataset = DATASETS.build(_dataset(cfg, split))
    chosen = np.linspace(0, len(dataset) - 1, min(limit, len(dataset))).round().astype(int)
    rows = [
        list(_row(dataset, int(index), versions, seed, with_findings=findings)) for index in chosen
    ]
    columns = max(map(len, rows))
    title = f"{Path(config).stem}: {len(rows)} of {len(dataset)} images, {split} transforms"
    sheet = draw_sheet([tile for row in rows for tile in row], columns, (title, _NOTE))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return len(rows)


def _dataset(cfg: Config, split: str) -> Any:
    loader = cfg.get(f"{split}_dataloader")
    if not loader:
        raise UsageError(f"{cfg.filename} has no {split}_dataloader: there is nothing to draw")
    return loader.dataset


def _row(
    dataset: Any, index: int, versions: int, seed: int, *, with_findings: bool
) -> Iterator[Tile]:
    """Yield the image as prepared, then what the transforms make of it, time after time."""
    info = dataset.get_data_info(index)
    found = info.get("findings", ()) if with_findings else ()
    boxes = [(Outline.of_box(tuple(f["box"]), f["malignant"])) for f in found]
    before = to_unit_range(read_mammogram(info["img_path"]), info["img_path"])
    yield _tile(before, boxes, "as prepared", str(info.get("image_id") or ""))
    for version in range(versions):
        seed_generators(derive_seed(seed, SAMPLE, index * versions + version))
        packed = dataset[index]
        views = packed["inputs"] if isinstance(packed["inputs"], list) else [packed["inputs"]]
        matrix = packed["data_samples"].get("warp_matrix")
        moved = [] if matrix is None else [_moved(box, matrix) for box in boxes]
        for number, view in enumerate(views, start=1):
            name = f"version {version + 1}" + f", view {number}" * (len(views) > 1)
            yield _tile(_image(view), moved, name, " x ".join(map(str, view.shape[-2:])))


def _image(view: Tensor) -> NDArray[np.float32]:
    return np.asarray(view[0].float().numpy())


def _moved(outline: Outline, matrix: NDArray[np.float64]) -> Outline:
    points = np.asarray(outline.points) @ matrix[:, :2].T + matrix[:, 2]
    return Outline(tuple((float(x), float(y)) for x, y in points), outline.malignant)


def _tile(image: NDArray[np.float32], outlines: list[Outline], *lines: str) -> Tile:
    small, scale = shrink(image)
    grey = cv2.convertScaleAbs(np.clip(small, 0, 1), alpha=255)
    return Tile(frame_picture(np.asarray(grey, np.uint8), outlines, scale), lines)
