"""Where patches of an image lie: on its lesions, and in the tissue between them.

A patch is known by its left and upper edge in pixels of the image; what it overlaps with says
:mod:`mammography.functional.patch_overlap`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mammography.functional.outlines import Mask
from mammography.functional.patch_overlap import Region, SizeHW

Border = Literal["shift", "zeros"]

CUTOFF_STEP = 0.05
_DRAWS, _BLOCKS = 1000, 50  # Places of the background that are tried at once, and how often.


@dataclass(frozen=True)
class SamplingRules:
    """How many patches there are, and where they may lie.

    Attributes:
        patch_hw: Rows and columns of a patch.
        per_region: Patches of each region.
        per_image: Patches of background of each image.
        centred: Put the patch of a region on its centre of mass, whatever the overlap.
        least_overlap: Of a patch with its region.
        most_overlap: Of a patch of background with any region, and of a patch of a region with
            regions of other classes, where there is a choice.
        least_breast: Share of a patch of background that shows the breast.
        border: ``shift`` moves a patch that would reach beyond the image inside; ``zeros``
            leaves it where it is and fills it up.

    Raises:
        ValueError: If a number is out of range.
    """

    patch_hw: SizeHW = (224, 224)
    per_region: int = 10
    per_image: int = 10
    centred: bool = False
    least_overlap: float = 0.9
    most_overlap: float = 0.35
    least_breast: float = 0.25
    border: Border = "shift"

    def __post_init__(self) -> None:
        """Check the numbers."""
        rules = {
            "patch_hw must be two numbers of at least 8 pixels": min(self.patch_hw) >= 8,
            "per_region must be at least 1": self.per_region >= 1,
            "per_region must be 1 where patches are centred": not self.centred
            or self.per_region == 1,
            "per_image must be at least 0": self.per_image >= 0,
            "least_overlap must lie in (0, 1]": 0 < self.least_overlap <= 1,
            "most_overlap must lie in [0, 1)": 0 <= self.most_overlap < 1,
            "least_breast must lie in [0, 1]": 0 <= self.least_breast <= 1,
            "border must be shift or zeros": self.border in ("shift", "zeros"),
        }
        for rule, holds in rules.items():
            if not holds:
                raise ValueError(f"SamplingRules: {rule}, got {self}")

    def cutoffs(self) -> Iterator[float]:
        """Yield the least overlaps to try, from the one asked for down to the last above 0.

        Example:
            >>> list(SamplingRules(least_overlap=0.2).cutoffs())
            [0.2, 0.15, 0.1, 0.05]
        """
        steps = int(np.ceil(self.least_overlap / CUTOFF_STEP - 1e-9))
        return (round(self.least_overlap - CUTOFF_STEP * step, 4) for step in range(steps))


@dataclass(frozen=True)
class Place:
    """Where a patch lies.

    Attributes:
        left: First column, in pixels of the image.
        top: First row.
        overlap: With its region; of background the largest with any.
        cutoff: Least overlap that was asked for in the end; none where none was.
        is_crowded: Whether it overlaps with a region of another class by more than
            ``most_overlap``.
    """

    left: int
    top: int
    overlap: float
    cutoff: float | None = None
    is_crowded: bool = False


def lesion_places(
    rng: np.random.Generator,
    region: Region,
    others: Sequence[Region],
    image_hw: SizeHW,
    rules: SamplingRules,
) -> list[Place]:
    """Choose the patches of a region.

    Centred, it is one around the centre of mass. Else all patches whose centre lies in the box
    of the region are looked at, and as many as are wanted are drawn evenly, each at most once,
    from those that overlap with the region enough. Where these are too few, the least overlap
    falls by steps of 0.05. (The published code draws centres one by one and lowers the cutoff
    after 1000 failures: the same, but for chance.) Patches that overlap with a region of another
    class by more than ``most_overlap`` are drawn only if too few others overlap with the region
    enough.

    Args:
        rng: Source of chance; not used where patches are centred.
        region: Clipped to the image.
        others: Regions of other classes.
        image_hw: Rows and columns of the image.
        rules: How many, and where.

    Returns:
        As many as are wanted, or all that there are; none if no patch overlaps at all.

    References:
        Shen et al., Scientific Reports 9:12495 (2019), sets S and S10.

    Example:
        >>> region = Region(np.ones((10, 10), bool), corner=(90, 40))
        >>> rules = SamplingRules(patch_hw=(32, 32), per_region=1, centred=True)
        >>> lesion_places(np.random.default_rng(0), region, [], (100, 100), rules)
        [Place(left=68, top=29, overlap=1.0, cutoff=None, is_crowded=False)]
    """
    if rules.centred:
        x, y = region.centre
        (height, width), (rows, columns) = rules.patch_hw, image_hw
        lefts = _inside(np.array([round(x - width / 2)]), width, columns, rules.border)
        tops = _inside(np.array([round(y - height / 2)]), height, rows, rules.border)
    else:
        lefts, tops = _starts(region.box, image_hw, rules)
    grid = lefts[None, :], tops[:, None], rules.patch_hw
    overlap = region.overlap(*grid)
    clear = np.ones(overlap.shape, bool)
    for other in others:
        clear &= other.overlap(*grid) <= rules.most_overlap
    wanted = min(rules.per_region, overlap.size)
    cutoff, chosen = _fitting(overlap, clear, wanted, rules)
    fits = np.flatnonzero(chosen)
    drawn: NDArray[np.intp] = rng.choice(fits, min(wanted, fits.size), replace=False)
    return [
        Place(
            int(lefts[i % lefts.size]),
            int(tops[i // lefts.size]),
            float(overlap.flat[i]),
            cutoff,
            bool(not clear.flat[i]),
        )
        for i in drawn
    ]


def _fitting(
    overlap: NDArray[np.float64], clear: Mask, wanted: int, rules: SamplingRules
) -> tuple[float | None, Mask]:
    """Return the first cutoff that enough patches reach, and which do; centred all do."""
    if rules.centred:
        return None, np.ones_like(clear)
    for cutoff in rules.cutoffs():
        fits = overlap >= cutoff
        alone = fits & clear
        if alone.sum() >= wanted:
            return cutoff, alone
        if fits.sum() >= wanted:
            break
    return cutoff, fits


def background_places(
    rng: np.random.Generator,
    regions: Sequence[Region],
    breast: Region,
    image_hw: SizeHW,
    rules: SamplingRules,
) -> list[Place]:
    """Choose patches that show the breast and no lesion.

    Places are drawn evenly, each at most once, and kept if the patch overlaps with no region by
    more than ``most_overlap`` and the breast covers ``least_breast`` of it.

    Args:
        rng: Source of chance.
        regions: Of lesions of whatever class, clipped to the image.
        breast: Where the breast is.
        image_hw: Rows and columns of the image.
        rules: How many, and where.

    Returns:
        As many as are wanted; fewer if 50,000 draws do not find them.

    Example:
        >>> breast = Region(np.ones((100, 50), bool))
        >>> rules = SamplingRules(patch_hw=(32, 32), per_image=3)
        >>> places = background_places(np.random.default_rng(0), [], breast, (100, 100), rules)
        >>> [place.left <= 50 - 8 for place in places]
        [True, True, True]
    """
    lefts, tops = _starts((0, 0, image_hw[1], image_hw[0]), image_hw, rules)
    least = rules.least_breast * rules.patch_hw[0] * rules.patch_hw[1]
    found: dict[tuple[int, int], Place] = {}
    for _ in range(_BLOCKS):
        if len(found) >= rules.per_image:
            break
        left, top = rng.choice(lefts, _DRAWS), rng.choice(tops, _DRAWS)
        overlap = np.zeros(_DRAWS)
        for region in regions:
            np.maximum(overlap, region.overlap(left, top, rules.patch_hw), out=overlap)
        fits = breast.count(left, top, rules.patch_hw) >= least
        for i in np.flatnonzero(fits & (overlap <= rules.most_overlap)):
            place = Place(int(left[i]), int(top[i]), float(overlap[i]))
            found.setdefault((place.left, place.top), place)
    return list(found.values())[: rules.per_image]


def _starts(
    centres: tuple[int, int, int, int], image_hw: SizeHW, rules: SamplingRules
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the left and upper edges of all patches whose centre lies in a box."""
    left, top, right, bottom = centres
    (height, width), (rows, columns) = rules.patch_hw, image_hw
    lefts, tops = np.arange(left, right) - width // 2, np.arange(top, bottom) - height // 2
    return (
        np.unique(_inside(lefts, width, columns, rules.border)),
        np.unique(_inside(tops, height, rows, rules.border)),
    )


def _inside(starts: NDArray[np.intp], size: int, length: int, border: Border) -> NDArray[np.intp]:
    """Move edges so that patches lie in the image, if they are to; a small image begins at 0."""
    return starts if border == "zeros" else np.clip(starts, 0, max(length - size, 0))
