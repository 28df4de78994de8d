"""The deterministic counterpart of the random warp, for validation and test."""

from collections.abc import Sequence
from typing import Any

from mmpretrain.registry import TRANSFORMS

from mammography.datasets.transforms.affine_warp import AffineWarp
from mammography.functional.affine import AffineParameters, SizeHW


@TRANSFORMS.register_module()
class AffineResize(AffineWarp):
    """Resize by the same function that warps at random in training.

    Args:
        size_hw: Height and width of the output.
        keep_ratio: Keep the shape of the tissue; see :class:`AffineWarp`, which also
            explains ``anchor``, ``flip_to`` and ``interpolation``.
        anchor: ``center`` or ``chest_wall``.
        flip_to: ``L``, ``R`` or None.
        interpolation: ``nearest``, ``bilinear`` or ``bicubic``.
        central: Shares of height and width about the centre that are fitted into the
            output: (7/8, 8/9) resizes to 2048 x 1152 and cuts out 1792 x 1024.
        flip: Mirror every image (after ``flip_to``), for test-time augmentation.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> import numpy as np
        >>> resize = AffineResize((64, 32))
        >>> results = resize({"img": np.ones((32, 8), np.float32)})
        >>> results["warp_matrix"].tolist()
        [[2.0, 0.0, 8.0], [0.0, 2.0, 0.0]]
    """

    def __init__(
        self,
        size_hw: SizeHW,
        *,
        keep_ratio: bool = True,
        anchor: str = "center",
        flip_to: str | None = None,
        interpolation: str = "bilinear",
        central: Sequence[float] = (1.0, 1.0),
        flip: bool = False,
    ) -> None:
        super().__init__(
            size_hw,
            keep_ratio=keep_ratio,
            anchor=anchor,
            flip_to=flip_to,
            interpolation=interpolation,
        )
        if len(central) != 2 or not all(0 < share <= 1 for share in central):
            raise ValueError(
                f"{type(self).__name__}: central must be two shares above 0 and up to 1 "
                f"(of height, of width), got {central}"
            )
        self.central = tuple(central)
        self.flip = flip

    def choose_parameters(self, results: dict[str, Any]) -> AffineParameters:
        """Return the same parameters for every image of a side."""
        height, width = results["img"].shape[:2]
        top, left = (height * (1 - self.central[0]) / 2, width * (1 - self.central[1]) / 2)
        return AffineParameters(
            crop_box=(left, top, width - left, height - top),
            flip=self.flip != self.must_flip(results),
        )

    def __repr__(self) -> str:
        """Show how it was built."""
        shown = f"{self._settings()}, central={self.central}, flip={self.flip}"
        return f"{type(self).__name__}({shown})"
