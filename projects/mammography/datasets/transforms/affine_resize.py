"""The deterministic counterpart of the random warp, for validation and test."""

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
        zoom: Enlargement about the centre: 8/7 shows the central 7/8 of height and width.
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
        zoom: float = 1.0,
        flip: bool = False,
    ) -> None:
        super().__init__(
            size_hw,
            keep_ratio=keep_ratio,
            anchor=anchor,
            flip_to=flip_to,
            interpolation=interpolation,
        )
        if zoom <= 0:
            raise ValueError(f"{type(self).__name__}: zoom must be above 0, got {zoom}")
        self.zoom = zoom
        self.flip = flip

    def choose_parameters(self, results: dict[str, Any]) -> AffineParameters:
        """Return the same parameters for every image of a side."""
        return AffineParameters(flip=self.flip != self.must_flip(results), zoom=self.zoom)

    def __repr__(self) -> str:
        """Show how it was built."""
        return f"{type(self).__name__}({self._settings()}, zoom={self.zoom}, flip={self.flip})"
