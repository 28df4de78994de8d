"""How images are prepared."""

from dataclasses import dataclass
from typing import Literal

from mammography.preparation.decoding.frames import FrameChoice
from mammography.terms import Laterality

_SPACINGS_MM = (0.01, 5.0)  # Micrometres taken for millimetres lie outside.
_SIZES = (8, 32767)  # The largest that OpenCV can warp.


@dataclass(frozen=True)
class PreparationOptions:
    """How images are prepared; plain values, so that they can be stored and compared.

    Attributes:
        voi: ``auto`` takes the lookup table or window of the header, and stretches where
            there is none; ``stretch`` spreads the grey over the breast; ``none`` keeps the
            whole range of the stored bits.
        window_index: Which of several windows or lookup tables of the header to take.
        margin_px: Pixels of the source kept around the breast; by default two of the small
            copy in which the breast is found, about 1.5 mm.
        spacing_mm: Size of a pixel after preparation, along rows and columns alike.
        size_hw: Rows and columns after preparation: the crop is scaled as large as fits,
            its chest wall stays at the border, and zeros fill the rest.
        flip_to: Mirror images whose chest wall does not lie where it does for this side:
            at the left for L, at the right for R.
        keep_background: Leave labels and all else in the crop as it is.
        require_laterality: Reject an image whose side is neither given nor stated.
        frames: What to make of a file of several frames, such as tomosynthesis: ``refuse``
            it; take the ``middle`` frame, or that of an index from 0; or project all onto
            one picture by the densest value of each pixel (``max``).
        for_processing: What to make of values as the detector gave them: ``refuse`` the
            image; ``keep`` them, which differ from what others call a mammogram; or take
            their negative logarithm (``log``), in which thickness counts evenly.
        reduce_jpeg2000: Decode JPEG 2000 at the resolution that the prepared image needs,
            where that is half of the source's or less: several times faster, and almost
            the same pixels.

    Raises:
        ValueError: If a value is out of range, or both sizes are given.

    Example:
        >>> PreparationOptions(spacing_mm=0.1, size_hw=(1792, 1024))
        Traceback (most recent call last):
        ValueError: preparation options: spacing_mm and size_hw must not both be given
    """

    voi: Literal["auto", "stretch", "none"] = "auto"
    window_index: int = 0
    margin_px: int | None = None
    spacing_mm: float | None = None
    size_hw: tuple[int, int] | None = None
    flip_to: Laterality | None = None
    keep_background: bool = False
    require_laterality: bool = True
    frames: FrameChoice = "refuse"
    for_processing: Literal["refuse", "keep", "log"] = "keep"
    reduce_jpeg2000: bool = False

    def __post_init__(self) -> None:
        """Check the values."""
        size, frames = self.size_hw, self.frames
        rules = [
            ("voi must be auto, stretch or none", self.voi in ("auto", "stretch", "none")),
            ("window_index must be at least 0", self.window_index >= 0),
            ("margin_px must be at least 0", self.margin_px is None or self.margin_px >= 0),
            (
                f"spacing_mm must be from {_SPACINGS_MM[0]} to {_SPACINGS_MM[1]}",
                self.spacing_mm is None or _SPACINGS_MM[0] <= self.spacing_mm <= _SPACINGS_MM[1],
            ),
            (
                f"size_hw must be two numbers from {_SIZES[0]} to {_SIZES[1]}",
                size is None or _SIZES[0] <= min(size) <= max(size) <= _SIZES[1],
            ),
            ("spacing_mm and size_hw must not both be given", None in (self.spacing_mm, size)),
            (
                "frames must be refuse, middle, max or an index from 0",
                frames in ("refuse", "middle", "max") or (type(frames) is int and frames >= 0),
            ),
            (
                "for_processing must be refuse, keep or log",
                self.for_processing in ("refuse", "keep", "log"),
            ),
        ]
        for rule, holds in rules:
            if not holds:
                raise ValueError(f"preparation options: {rule}")
