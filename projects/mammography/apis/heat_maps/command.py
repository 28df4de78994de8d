"""Heat maps of whole images by a patch network: files, pictures, and how well they point."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mammography.apis.config import UsageError
from mammography.apis.heat_maps.figures import LocalisationFigures
from mammography.apis.heat_maps.files import list_peaks, write_map, write_pictures
from mammography.apis.heat_maps.network import BACKGROUND, load_patch_network
from mammography.apis.heat_maps.seen import look_at
from mammography.apis.map_files import write_json
from mammography.apis.outputs import versions
from mammography.structures.annotation import ImageRecord, read_annotations


def make_heat_maps(
    config: str | Path,
    checkpoint: str,
    inputs: Sequence[Path],
    out: Path,
    *,
    stride: int = 8,
    window: int | None = None,
    isolated: bool = False,
    least_breast: float = 0.25,
    limit: int | None = None,
    source_pictures: bool = False,
    cfg_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Slide a patch network over images and write what it sees.

    Below ``out``: ``maps/<image>.npz`` (``maps``, ``classes``, the size of the windows, and the
    matrices ``to_image`` and ``to_source`` from places of the map to pixels of the prepared
    image and of the DICOM); ``overlays/<image>.png``, the probability of any lesion over the
    image with the known lesions outlined; ``peaks.json``, the peaks in both coordinates; and
    where lesions are known ``localisation.json``, and ``marks.json`` with the scores behind it.

    Args:
        config: Config of a patch classifier.
        checkpoint: Its weights.
        inputs: Annotation files of prepared studies, or images.
        out: Folder.
        stride: Pixels between windows.
        window: Side of a patch; that of the config by default.
        isolated: See each window alone, as the patches of training: one pass for each.
        least_breast: Share of a window that must be breast (not 0) for a lesion to be seen there,
            in pictures, peaks and figures; the maps hold all windows.
        limit: How many images of each annotation file, the first ones.
        source_pictures: Write ``source/<image>.png`` as well: the probability of any lesion on
            the pixels of the DICOM, 16 bits.
        cfg_options: Changes of the config by dotted names.

    Returns:
        What ``localisation.json`` holds; empty without known lesions.

    Raises:
        UsageError: If the model is no patch classifier or there is nothing to look at.
    """
    network = load_patch_network(config, checkpoint, window=window, cfg_options=cfg_options)
    if BACKGROUND not in network.classes:
        raise UsageError(
            f"{config}: classes must have one named {BACKGROUND}, got {', '.join(network.classes)}"
        )
    images = list(_records(inputs, limit))
    if not images:
        raise UsageError("there must be an image, got none: name annotation files or images")
    lesions = LocalisationFigures(network.classes)
    listed = []
    for root, record in tqdm(images, desc="heat maps", unit="image", mininterval=10):
        seen = look_at(network, root, record, stride, isolated=isolated, least_breast=least_breast)
        write_map(out, seen)
        write_pictures(out, seen, source=source_pictures)
        listed.append(list_peaks(seen))
        lesions.add(seen)
    info = {
        "config": Path(config).name,
        "checkpoint": str(checkpoint),
        "window": network.window,
        "stride": stride,
        "least_breast": least_breast,
        "windows": "alone" if isolated else "with surroundings",
        "classes": list(network.classes),
        "versions": versions(),
    }
    write_json(out / "peaks.json", {"info": info, "images": listed})
    found = lesions.summary()
    if found:
        write_json(out / "localisation.json", {"info": info, "lesions": found})
        write_json(out / "marks.json", {"info": info, "lesions": lesions.scores()})
    return found


def _records(inputs: Sequence[Path], limit: int | None) -> Iterator[tuple[Path, ImageRecord]]:
    for path in inputs:
        if path.suffix == ".json":
            for record in read_annotations(path).records[:limit]:
                yield path.parent.parent, record
        else:
            yield path.parent, ImageRecord(path.name, image_id=path.stem)
