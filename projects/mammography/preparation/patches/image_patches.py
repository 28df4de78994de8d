"""One prepared image to its patches."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mammography.functional.breast import find_breast
from mammography.functional.breast_mask import Mask, NotABreastError
from mammography.functional.patch_overlap import Region, cut_patch
from mammography.functional.patch_sampling import (
    Place,
    SamplingRules,
    background_places,
    lesion_places,
)
from mammography.preparation.patches.lesion_classes import BACKGROUND
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.patches.regions import Lesion, Regions, find_regions
from mammography.structures.annotation import ImageRecord

Pixels = NDArray[np.uint16]

SMALLER = "smaller than the patch"
LARGER = "larger than the patch"
RELAXED = "least overlap fell to {:g}"
FEWER = "fewer places than patches"
CROWDED = "patches of a lesion that show one of another class"
AT_BORDER = "so near to the border that a patch would reach beyond it"
PADDED = "patches filled up with zeros"
NO_BREAST = "images without a breast that can be found: nothing was removed"
NO_BACKGROUND = "patches of background without a place"


@dataclass(frozen=True)
class Patch:
    """One patch.

    Attributes:
        name: Unique in its image.
        place: Where it lies.
        class_index: Index in :data:`~mammography.preparation.patches.lesion_classes.CLASSES`.
        lesion: Number of the finding in its record; none of background.
        pixels: What it shows.
    """

    name: str
    place: Place
    class_index: int
    lesion: int | None
    pixels: Pixels


@dataclass
class ImagePatches:
    """The patches of an image.

    Attributes:
        patches: Those of lesions first.
        left_out: Findings without patches, by reason.
        rules: How often each rule applied.
    """

    patches: list[Patch] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)


def cut_image(record: ImageRecord, pixels: Pixels, options: PatchOptions) -> ImagePatches:
    """Cut the patches of one image.

    Places follow from the seed, ``image_id`` and the number of the finding alone. An image
    without a lesion that has a class gives no patch, not even of background.

    Shapes:
        pixels: (H, W).

    Args:
        record: What is known of the image.
        pixels: The prepared image, 0 outside of the breast.
        options: Which patches.
    """
    found = ImagePatches()
    breast = pixels > 0
    if options.remove_watermarks:
        breast = _find_breast(pixels, found)
        pixels = np.where(breast, pixels, 0).astype(pixels.dtype)
    regions = find_regions(record, breast, options.malignant_from, clip=options.remove_watermarks)
    found.left_out += regions.left_out
    found.rules += regions.rules
    rules = options.rules()
    for name, place, class_index, lesion in _places(record, regions, breast, options, found):
        patch = cut_patch(pixels, place.left, place.top, rules.patch_hw)
        found.patches.append(Patch(name, place, class_index, lesion, patch))
        found.rules[PADDED] += not _lies_inside(place, pixels.shape, rules)
    return found


def _find_breast(pixels: Pixels, found: ImagePatches) -> Mask:
    try:
        breast = find_breast(pixels)
    except NotABreastError:
        found.rules[NO_BREAST] += 1
        return pixels > 0
    height, width = pixels.shape
    return breast.mask_in((0, 0, width, height), (height, width)) & (pixels > 0)


def _places(
    record: ImageRecord,
    regions: Regions,
    breast: Mask,
    options: PatchOptions,
    found: ImagePatches,
) -> Iterator[tuple[str, Place, int, int | None]]:
    rules, size_hw = options.rules(), (breast.shape[0], breast.shape[1])
    for lesion in regions.lesions:
        others = [x.region for x in regions.lesions if x.class_index != lesion.class_index]
        rng = _generator(options.seed, record, lesion.number + 1)
        places = lesion_places(rng, lesion.region, others, size_hw, rules)
        _count(lesion, places, size_hw, rules, found.rules)
        for i, place in enumerate(places):
            yield f"l{lesion.number}-{i}", place, lesion.class_index, lesion.number
    if not regions.lesions:
        return
    rng = _generator(options.seed, record, 0)
    places = background_places(rng, regions.all, Region(breast), size_hw, rules)
    found.rules[NO_BACKGROUND] += rules.per_image - len(places)
    for i, place in enumerate(places):
        yield f"b-{i}", place, BACKGROUND, None


def _generator(seed: int, record: ImageRecord, stream: int) -> np.random.Generator:
    """Return a source of chance that neither order nor number of workers changes."""
    digest = hashlib.sha256(str(record.image_id).encode()).digest()
    return np.random.default_rng([seed, int.from_bytes(digest[:16]), stream])


def _count(
    lesion: Lesion,
    places: list[Place],
    size_hw: tuple[int, int],
    rules: SamplingRules,
    counts: Counter[str],
) -> None:
    """Note which rules applied to a lesion."""
    left, top, right, bottom = lesion.region.box
    fits = bottom - top <= rules.patch_hw[0] and right - left <= rules.patch_hw[1]
    counts[SMALLER if fits else LARGER] += 1
    counts[FEWER] += len(places) < rules.per_region
    cutoff = places[0].cutoff if places else None
    if cutoff is not None and cutoff < rules.least_overlap:
        counts[RELAXED.format(cutoff)] += 1
    counts[CROWDED] += sum(place.is_crowded for place in places)
    counts[AT_BORDER] += _reaches_beyond(lesion, size_hw, rules)


def _reaches_beyond(lesion: Lesion, size_hw: tuple[int, int], rules: SamplingRules) -> bool:
    """Whether a patch around a point of the box of a lesion would leave the image."""
    (height, width), (rows, columns) = rules.patch_hw, size_hw
    left, top, right, bottom = lesion.region.box
    return (
        left < width // 2
        or top < height // 2
        or right + (width - 1) // 2 > columns
        or bottom + (height - 1) // 2 > rows
    )


def _lies_inside(place: Place, size_hw: tuple[int, ...], rules: SamplingRules) -> bool:
    (height, width), (rows, columns) = rules.patch_hw, size_hw
    return (
        place.left >= 0
        and place.top >= 0
        and place.left + width <= columns
        and place.top + height <= rows
    )


def describe(patch: Patch) -> dict[str, Any]:
    """Return all but the pixels as plain values for JSON."""
    place = patch.place
    return {
        "name": patch.name,
        "left": place.left,
        "top": place.top,
        "overlap": round(place.overlap, 4),
        "cutoff": place.cutoff,
        "crowded": place.is_crowded,
        "class": patch.class_index,
        "lesion": patch.lesion,
    }
