"""What the random and the deterministic affine warp share; not registered."""

from abc import abstractmethod
from typing import Any

from mmcv.transforms import BaseTransform

from mammography.functional.affine import (
    INTERPOLATION,
    AffineParameters,
    SizeHW,
    affine_matrix,
    compose_affine,
    warp_affine,
)
from mammography.terms import Laterality

_ANCHORS = ("center", "chest_wall")


class AffineWarp(BaseTransform):
    """Warp the image once, by parameters that a subclass chooses.

    Required keys: ``img``; ``laterality`` and ``mirrored`` if ``anchor`` or ``flip_to`` needs the
    side of the chest wall. Modified keys: ``img``, ``img_shape``. Added keys: ``warp_matrix``
    (2, 3): prepared image to network input, in continuous coordinates ``(x, y)`` where
    pixel ``i`` covers ``[i, i + 1)``; a second warp is composed with the first.

    Args:
        size_hw: Height and width of the output.
        keep_ratio: Keep the shape of the tissue; the rest of the output is 0.
        anchor: Where the image lies along the width if its ratio is kept: ``center``, or
            ``chest_wall``: the chest wall touches the edge, as on the film.
        flip_to: Mirror images so that all look like this side: ``L`` has its chest wall at
            the left edge, ``R`` at the right.
        interpolation: ``nearest``, ``bilinear`` or ``bicubic``.

    Raises:
        ValueError: If an argument is none of those, or an image has no laterality where
            one is needed.
    """

    def __init__(
        self,
        size_hw: SizeHW,
        *,
        keep_ratio: bool = True,
        anchor: str = "center",
        flip_to: str | None = None,
        interpolation: str = "bilinear",
    ) -> None:
        self.size_hw = (int(size_hw[0]), int(size_hw[1]))
        self.keep_ratio = keep_ratio
        self.anchor = anchor
        self.flip_to = flip_to
        self.interpolation = interpolation
        for name, allowed in {
            "anchor": _ANCHORS,
            "flip_to": (None, *Laterality),
            "interpolation": tuple(INTERPOLATION),
        }.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be one of "
                    f"{', '.join(map(str, allowed))}, got {getattr(self, name)!r}"
                )
        if min(self.size_hw) < 1:
            raise ValueError(
                f"{type(self).__name__}: size_hw must be (height, width), got {size_hw}"
            )

    @abstractmethod
    def choose_parameters(self, results: dict[str, Any]) -> AffineParameters:
        """Choose what to do with the image."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Choose the parameters and warp."""
        return self.warp(results, self.choose_parameters(results))

    def warp(self, results: dict[str, Any], parameters: AffineParameters) -> dict[str, Any]:
        """Warp by given parameters, to replay a draw."""
        image = results["img"]
        matrix = affine_matrix(
            parameters, image.shape[:2], self.size_hw, self.keep_ratio, self._anchor(results)
        )
        results["img"] = warp_affine(image, matrix, self.size_hw, self.interpolation)
        results["img_shape"] = self.size_hw
        first = results.get("warp_matrix")
        results["warp_matrix"] = matrix if first is None else compose_affine(matrix, first)
        return results

    def must_flip(self, results: dict[str, Any]) -> bool:
        """Tell whether ``flip_to`` asks to mirror this image."""
        return self.flip_to is not None and self._chest_wall(results) != self.flip_to

    def _anchor(self, results: dict[str, Any]) -> float:
        if self.anchor == "center" or not self.keep_ratio:
            return 0.5
        return 0.0 if self._chest_wall(results) is Laterality.LEFT else 1.0

    def _chest_wall(self, results: dict[str, Any]) -> Laterality:
        """Side of the image at which the chest wall lies."""
        if results.get("laterality") is None:
            raise ValueError(
                f"{type(self).__name__}: laterality must be known for flip_to and for "
                f"anchor='chest_wall', {results.get('img_path')} has none"
            )
        side = Laterality(results["laterality"])
        return side.other if results.get("mirrored") else side

    def _settings(self) -> str:
        return (
            f"size_hw={self.size_hw}, keep_ratio={self.keep_ratio}, anchor={self.anchor!r}, "
            f"flip_to={self.flip_to!r}, interpolation={self.interpolation!r}"
        )
