"""Random crop, flip, zoom, shear, rotation and translation in one interpolation."""

from dataclasses import replace
from typing import Any

from mmcv.transforms.utils import cache_randomness
from mmpretrain.registry import TRANSFORMS

from mammography.datasets.randomness import generator
from mammography.datasets.transforms.affine_warp import AffineWarp
from mammography.functional.affine import AffineParameters, SizeHW
from mammography.functional.affine_ranges import AffineRanges


@TRANSFORMS.register_module()
class RandomAffineWarp(AffineWarp):
    """Draw a crop, flip, zoom, shear, rotation and translation and warp once.

    The usual chain interpolates the image once per step, which costs sharpness and time,
    and fills corners with a constant although the image goes on there.

    Args:
        size_hw: Height and width of the output.
        keep_ratio: Keep the shape of the tissue; see :class:`AffineWarp`, which also
            explains ``anchor``, ``flip_to`` and ``interpolation``.
        anchor: ``center`` or ``chest_wall``.
        flip_to: ``L``, ``R`` or None.
        interpolation: ``nearest``, ``bilinear`` or ``bicubic``.
        **ranges: Fields of :class:`AffineRanges`: ``flip_prob``, ``vertical_flip_prob``,
            ``deform_prob``, ``zoom``, ``shear_deg``, ``rotation_deg``, ``translation``, ``area``,
            ``aspect_ratio``. Without any, nothing is random.

    Raises:
        ValueError: If an argument is out of range, or ``flip_to`` meets a random flip.

    Example:
        >>> import numpy as np
        >>> warp = RandomAffineWarp((64, 32), flip_prob=0.5, rotation_deg=20)
        >>> warp({"img": np.zeros((100, 60), np.float32)})["img"].shape
        (64, 32)
    """

    def __init__(
        self,
        size_hw: SizeHW,
        *,
        keep_ratio: bool = True,
        anchor: str = "center",
        flip_to: str | None = None,
        interpolation: str = "bilinear",
        **ranges: Any,
    ) -> None:
        super().__init__(
            size_hw,
            keep_ratio=keep_ratio,
            anchor=anchor,
            flip_to=flip_to,
            interpolation=interpolation,
        )
        self.ranges = AffineRanges(**ranges)
        if flip_to is not None and self.ranges.flip_prob > 0:
            raise ValueError(
                f"{type(self).__name__}: flip_prob must be 0 with flip_to={flip_to!r}, "
                f"got {self.ranges.flip_prob}"
            )

    def choose_parameters(self, results: dict[str, Any]) -> AffineParameters:
        """Draw the parameters."""
        in_hw = results["img"].shape[:2]
        parameters: AffineParameters = self.random_parameters(in_hw, self.must_flip(results))
        return parameters

    @cache_randomness
    def random_parameters(self, in_hw: SizeHW, flip: bool) -> AffineParameters:
        """Draw from the ranges; ``flip`` is the mirroring that ``flip_to`` asks for."""
        parameters = self.ranges.draw(generator(), in_hw)
        return replace(parameters, flip=parameters.flip or flip)

    def __repr__(self) -> str:
        """Show how it was built."""
        return f"{type(self).__name__}({self._settings()}, {self.ranges})"
