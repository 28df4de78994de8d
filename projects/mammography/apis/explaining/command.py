"""Explain what a model says about images: files and pictures."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from mammography.apis.config import UsageError, check_checkpoint, load_config
from mammography.apis.explaining.attributions import Question, explain_case
from mammography.apis.explaining.explained import Explained
from mammography.apis.explaining.inputs import Study, read_studies
from mammography.apis.map_files import write_json
from mammography.apis.outputs import versions


def explain(
    config: str | Path,
    checkpoint: str,
    inputs: Sequence[Path],
    out: Path,
    question: Question,
    *,
    images: Sequence[str] = (),
    limit: int | None = None,
    source_pictures: bool = False,
    cfg_options: Mapping[str, Any] | None = None,
) -> int:
    """Write a map for every image that says which parts of it a score hangs on.

    Below ``out``: ``maps/<image>.npz`` (``map``, and the matrices ``to_image`` and ``to_source``
    from places of the map to pixels of the prepared image and of the DICOM),
    ``overlays/<image>.png`` (the map, its highest value as 1, over the image with known lesions
    outlined), and ``explained.json`` (scores, labels, and where each map is highest). The maps of
    a model of whole exams are those of its views.

    A map is as coarse as what it is read from: a cell of a ResNet's last layer is 32 pixels of
    the input. Each place of a CAM, or token of an attention map, lies on the middle of what its
    cell sees, which the convolutions and their padding say: cell (i, j) of a ResNet looks around
    pixel (32 i, 32 j), one of a ConvNeXt around the middle of a square of 32 pixels. Where the
    places of a layer cannot be followed to the image they lie as equal shares of it, and
    ``placed_by`` in ``explained.json`` says so. Occlusion has a value for each pixel.

    That is where a cell looks; what a trained network answers to may lie beside the middle of
    it, for one network further than for another.

    Args:
        config: The config file.
        checkpoint: Weights that match its model exactly.
        inputs: Annotation files, prepared PNG images or DICOM files.
        out: Folder.
        question: What is asked.
        images: Explain only cases with one of these images, by pseudonym.
        limit: How many cases of each annotation file, the first ones.
        source_pictures: Write ``source/<image>.png`` as well: the map on the pixels of the
            DICOM, 16 bits.
        cfg_options: Changes of the config by dotted names.

    Returns:
        How many images were explained.

    Raises:
        UsageError: If the model does not have what the method needs, or there is no image.
    """
    cfg = load_config(config, cfg_options)
    check_checkpoint(checkpoint, str(cfg.work_dir))
    init_default_scope("mmpretrain")
    model = MODELS.build(cfg.model)
    load_checkpoint(model, checkpoint, map_location="cpu", strict=True)
    model.to("cuda" if torch.cuda.is_available() else "cpu").eval()
    tasks = [layer.task for layer in getattr(model.head, "layers", {}).values()]
    listed = []
    with tempfile.TemporaryDirectory() as scratch:
        for study in read_studies(inputs, cfg, tasks, Path(scratch)):
            dataset = study.dataset(cfg)
            chosen = _chosen(dataset, images)[:limit]
            for index in tqdm(chosen, desc="explain", mininterval=10):
                for found in _explain(model, dataset[index], study, question):
                    found.write(out, source=source_pictures)
                    listed.append(found.listing())
    if not listed:
        raise UsageError(
            "there must be an image to explain, got none"
            + (f" named {', '.join(images)}" if images else "")
        )
    info = {
        "config": Path(config).name,
        "checkpoint": str(checkpoint),
        "question": vars(question),
        "versions": versions(),
    }
    write_json(out / "explained.json", {"info": info, "images": listed})
    return len(listed)


def _chosen(dataset: BaseDataset, images: Sequence[str]) -> list[int]:
    """Return the cases that hold one of the images, or all where none is named."""
    wanted = set(images)
    if not wanted:
        return list(range(len(dataset)))
    infos = map(dataset.get_data_info, range(len(dataset)))
    names = ({view["image_id"] for view in info.get("views", [info])} for info in infos)
    return [index for index, of_case in enumerate(names) if of_case & wanted]


def _explain(
    model: nn.Module, data: dict[str, Any], study: Study, question: Question
) -> Iterator[Explained]:
    sample: DataSample = data["data_samples"]
    batch = {"inputs": [data["inputs"]], "data_samples": [sample]}
    ready = model.data_preprocessor(batch)  # type: ignore[operator]
    with torch.no_grad():
        (predicted,) = model(ready["inputs"], [sample], mode="predict")
    found = explain_case(model, ready["inputs"], sample, question)
    maps = found.maps.numpy()
    pictures: NDArray[Any] = data["inputs"].numpy().reshape(len(maps), *data["inputs"].shape[-2:])
    views: list[dict[str, Any]] = sample.get("views") or [sample.metainfo]
    for view, picture, values in zip(views, pictures, maps, strict=True):
        warp = view.get("warp_matrix")
        yield Explained(
            record=study.records[view["img_path"]],
            picture=picture,
            map=values,
            to_picture=found.to_input,
            placed_by=found.placed_by,
            warp=np.eye(2, 3) if warp is None else np.asarray(warp),
            scores=predicted.pred_scores,
            labels=sample.get("gt_targets") or {},
        )
