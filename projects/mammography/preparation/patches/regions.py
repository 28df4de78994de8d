"""From the findings of an image to the regions that patches are cut around."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from mammography.functional.outlines import Mask, fill_outline
from mammography.functional.patch_overlap import Region
from mammography.preparation.patches.lesion_classes import NoClassError, class_of
from mammography.preparation.prepared_record import is_cut
from mammography.structures.annotation import Finding, ImageRecord

OUTSIDE_IMAGE = "outside of the image"
OUTSIDE_BREAST = "outside of the breast"
TWICE = "the same region of the same class again"
TWO_CLASSES = "one region of two classes"
CUT = "cut by the border of the image"
PARTLY_OUTSIDE = "partly outside of the breast"


@dataclass(frozen=True)
class Lesion:
    """A region with a class.

    Attributes:
        number: Place of the finding in its record, from 0.
        class_index: Index in :data:`~mammography.preparation.patches.lesion_classes.CLASSES`.
        region: Where it is, clipped to the image.
    """

    number: int
    class_index: int
    region: Region


@dataclass
class Regions:
    """What the findings of an image come to.

    Attributes:
        lesions: Those that patches are cut around.
        all: All regions in the image, with or without a class: no background lies there.
        left_out: Findings without patches, by reason.
        rules: Lesions that a rule applies to, by rule.
    """

    lesions: list[Lesion] = field(default_factory=list)
    all: list[Region] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)


def find_regions(
    record: ImageRecord, breast: Mask, malignant_from: str | None = None, *, clip: bool = False
) -> Regions:
    """Find the region and the class of every finding.

    The region is what the outline holds, or the box where there is none: pixels whose centres
    lie inside, or the one pixel of a mark that is smaller. A finding is left out if nothing of
    it lies in the image or in the breast, if it has no class, or if the same region is given
    again; regions of two classes are left out both.

    Args:
        record: Findings in pixels of its image.
        breast: Where the image shows the breast.
        malignant_from: Task whose label of the image is taken where a finding does not tell
            whether it is malignant.
        clip: Cut away what lies outside of the breast; else it counts as part of the region.

    Shapes:
        breast: (H, W).
    """
    found = Regions()
    image_label = record.gt_label.get(malignant_from) if malignant_from else None
    classes = _classes_by_place(record, image_label)
    for number, finding in enumerate(record.findings):
        mask, corner = finding_mask(finding, breast.shape)
        if not mask.size:
            found.left_out[OUTSIDE_IMAGE] += 1
            continue
        (left, top), (height, width) = corner, mask.shape
        inside = mask & breast[top : top + height, left : left + width]
        if not inside.any():
            found.left_out[OUTSIDE_BREAST] += 1
            continue
        region = Region(inside if clip else mask, corner)
        found.all.append(region)
        try:
            class_index = class_of(finding, image_label)
        except NoClassError as error:
            found.left_out[str(error)] += 1
            continue
        first, known = classes[_place(finding)][0][0], {c for _, c in classes[_place(finding)]}
        if len(known) > 1 or first != number:
            found.left_out[TWO_CLASSES if len(known) > 1 else TWICE] += 1
            continue
        found.lesions.append(Lesion(number, class_index, region))
        found.rules[CUT] += is_cut(finding, breast.shape)
        found.rules[PARTLY_OUTSIDE] += bool(inside.sum() < mask.sum())
    return found


def _place(finding: Finding) -> tuple[object, ...]:
    return finding.box, finding.outline


def _classes_by_place(
    record: ImageRecord, image_label: float | None
) -> dict[tuple[object, ...], list[tuple[int, int]]]:
    """Return the number and the class of each finding that has one, by region."""
    classes = defaultdict(list)
    for number, finding in enumerate(record.findings):
        try:
            classes[_place(finding)].append((number, class_of(finding, image_label)))
        except NoClassError:
            continue
    return classes


def finding_mask(finding: Finding, size_hw: tuple[int, int]) -> tuple[Mask, tuple[int, int]]:
    """Return the pixels of a finding in the image, and the column and row where they begin.

    Args:
        finding: In pixels of the image; may lie beyond it.
        size_hw: Rows and columns of the image.

    Returns:
        A mask of the part of the image around the finding, without pixels if nothing of it
        lies there.

    Example:
        >>> mask, corner = finding_mask(Finding((-2, 1, 3, 4), "mass"), (10, 10))
        >>> mask.shape, corner, bool(mask.all())
        ((3, 3), (0, 1), True)
        >>> finding_mask(Finding((5.1, 5.2, 5.3, 5.4), "calcification"), (10, 10))[0]
        array([[ True]])
    """
    left, top, right, bottom = finding.box
    points = finding.outline or ((left, top), (right, top), (right, bottom), (left, bottom))
    xy = np.asarray(points, np.float64)
    low, high = np.floor(xy.min(0)), np.ceil(xy.max(0))
    x0, y0 = np.clip(low, 0, (size_hw[1], size_hw[0])).astype(int).tolist()
    x1, y1 = np.clip(high, 0, (size_hw[1], size_hw[0])).astype(int).tolist()
    if x0 >= x1 or y0 >= y1:
        return np.zeros((0, 0), bool), (0, 0)
    mask = fill_outline(xy - (x0, y0), (y1 - y0, x1 - x0))
    if mask.any():
        return mask, (x0, y0)
    return _one_pixel(xy, size_hw)


def _one_pixel(points: np.ndarray, size_hw: tuple[int, int]) -> tuple[Mask, tuple[int, int]]:
    """Return the pixel in the middle of a mark that holds the centre of none."""
    x, y = np.floor((points.min(0) + points.max(0)) / 2).astype(int).tolist()
    if not (0 <= x < size_hw[1] and 0 <= y < size_hw[0]):
        return np.zeros((0, 0), bool), (0, 0)
    return np.ones((1, 1), bool), (x, y)
