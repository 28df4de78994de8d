"""Random parameters of an affine warp."""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from mammography.functional.affine import AffineParameters, Box, SizeHW


@dataclass(frozen=True)
class AffineRanges:
    """What :class:`AffineParameters` are drawn from; nothing is random by default.

    Attributes:
        flip_prob: Probability to mirror left to right.
        vertical_flip_prob: Probability to mirror top to bottom, which no breast does: for patches.
        deform_prob: Probability that zoom, shear, rotation and translation act at all.
        zoom: Smallest and largest factor, drawn log-uniformly.
        shear_deg: Largest angle on either side, for both axes.
        rotation_deg: Largest angle on either side.
        translation: Largest share of the output on either side, for both axes.
        area: Smallest and largest share of the input that the window covers; None
            takes the whole input.
        aspect_ratio: Smallest and largest width / height of the window.

    Raises:
        ValueError: If a range is none.
    """

    flip_prob: float = 0.0
    vertical_flip_prob: float = 0.0
    deform_prob: float = 1.0
    zoom: tuple[float, float] = (1.0, 1.0)
    shear_deg: float = 0.0
    rotation_deg: float = 0.0
    translation: float = 0.0
    area: tuple[float, float] | None = None
    aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3)

    def __post_init__(self) -> None:
        """Refuse a range that could not be drawn from."""
        for name, high in {
            "flip_prob": 1.0,
            "vertical_flip_prob": 1.0,
            "deform_prob": 1.0,
            "shear_deg": 45.0,
            "rotation_deg": 180.0,
            "translation": 1.0,
        }.items():
            if not 0 <= getattr(self, name) <= high:
                raise ValueError(
                    f"{name} must lie between 0 and {high:g}, got {getattr(self, name)!r}"
                )
        for name, high in {"zoom": np.inf, "area": 1.0, "aspect_ratio": np.inf}.items():
            value = getattr(self, name)
            if value is not None and not (len(value) == 2 and 0 < value[0] <= value[1] <= high):
                limit = f" and end at most at {high:g}" if np.isfinite(high) else ""
                raise ValueError(
                    f"{name} must be (low, high) with 0 < low <= high{limit}, got {value!r}"
                )

    def draw(self, rng: np.random.Generator, in_hw: SizeHW) -> AffineParameters:
        """Draw the parameters for an input of size ``in_hw``."""
        crop_box = self.area and draw_crop_box(rng, in_hw, self.area, self.aspect_ratio)
        flip = bool(rng.random() < self.flip_prob)
        # Top to bottom is left to right and half a turn. Without it nothing is drawn for it, so
        # that a seed gives what it always gave.
        turned = bool(self.vertical_flip_prob and rng.random() < self.vertical_flip_prob)
        flip, half_turn = flip != turned, 180.0 * turned
        if rng.random() >= self.deform_prob:
            return AffineParameters(crop_box, flip, rotation_deg=half_turn)
        shear_x, shear_y = rng.uniform(-self.shear_deg, self.shear_deg, 2).tolist()
        right, down = rng.uniform(-self.translation, self.translation, 2).tolist()
        return AffineParameters(
            crop_box=crop_box,
            flip=flip,
            zoom=exp(rng.uniform(log(self.zoom[0]), log(self.zoom[1]))),
            shear_deg=(shear_x, shear_y),
            rotation_deg=half_turn + float(rng.uniform(-self.rotation_deg, self.rotation_deg)),
            translation=(right, down),
        )


def draw_crop_box(
    rng: np.random.Generator,
    in_hw: SizeHW,
    area: tuple[float, float],
    aspect_ratio: tuple[float, float],
    tries: int = 10,
) -> Box:
    """Draw a window of random area and shape that lies inside the input.

    The area is uniform, the aspect ratio log-uniform. When no try fits, the window is the
    largest central one whose aspect ratio is allowed.

    Args:
        rng: Source of randomness.
        in_hw: Size of the input.
        area: Range of the share of the input that is covered.
        aspect_ratio: Range of width / height.
        tries: Draws before the central window is taken.

    Returns:
        Left, top, right, bottom in input pixels.

    References:
        Szegedy et al., Going deeper with convolutions, CVPR 2015, section 6.
    """
    height, width = in_hw
    for _ in range(tries):
        pixels = rng.uniform(*area) * height * width
        ratio = exp(rng.uniform(log(aspect_ratio[0]), log(aspect_ratio[1])))
        w, h = sqrt(pixels * ratio), sqrt(pixels / ratio)
        if w <= width and h <= height:
            left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
            return left, top, left + w, top + h
    ratio = min(max(width / height, aspect_ratio[0]), aspect_ratio[1])
    w, h = min(width, height * ratio), min(height, width / ratio)
    left, top = (width - w) / 2, (height - h) / 2
    return left, top, left + w, top + h
