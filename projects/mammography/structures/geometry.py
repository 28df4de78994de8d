"""Where a prepared image lies in the image it was made from."""

from dataclasses import asdict, dataclass
from typing import Any

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ImageGeometry:
    """Crop, scale, padding and flip between a source image and its prepared PNG.

    Coordinates are continuous, ``(x, y)`` from the top-left corner of the image, and
    pixel ``i`` covers ``[i, i + 1)``. A source point is shifted by the crop, scaled,
    mirrored inside the scaled crop if ``flipped``, then shifted by the padding.

    Attributes:
        source_size_hw: Rows and columns of the source.
        crop_box: Left, top, right, bottom of the kept part, in source pixels.
        scale_hw: Prepared pixels per source pixel along rows and columns.
        flipped: Whether the crop was mirrored left to right.
        offset_hw: Empty rows above and columns to the left of the crop.

    Example:
        >>> g = ImageGeometry((100, 80), (10, 20, 50, 100), (0.5, 0.5), True)
        >>> g.to_prepared((10, 20, 30, 40))
        (10.0, 0.0, 20.0, 10.0)
        >>> g.to_source(g.to_prepared((10, 20, 30, 40)))
        (10.0, 20.0, 30.0, 40.0)
    """

    source_size_hw: tuple[int, int]
    crop_box: tuple[int, int, int, int]
    scale_hw: tuple[float, float] = (1.0, 1.0)
    flipped: bool = False
    offset_hw: tuple[int, int] = (0, 0)

    def to_prepared(self, box: Box) -> Box:
        """Map a box ``(left, top, right, bottom)`` of the source into the prepared image."""
        left, top, _, _ = self.crop_box
        (scale_y, scale_x), (offset_y, offset_x) = self.scale_hw, self.offset_hw
        xs = [(x - left) * scale_x for x in box[0::2]]
        if self.flipped:
            xs = [self._scaled_width - x for x in reversed(xs)]
        ys = [(y - top) * scale_y for y in box[1::2]]
        return xs[0] + offset_x, ys[0] + offset_y, xs[1] + offset_x, ys[1] + offset_y

    def to_source(self, box: Box) -> Box:
        """Map a box of the prepared image back into the source."""
        left, top, _, _ = self.crop_box
        (scale_y, scale_x), (offset_y, offset_x) = self.scale_hw, self.offset_hw
        xs = [x - offset_x for x in box[0::2]]
        if self.flipped:
            xs = [self._scaled_width - x for x in reversed(xs)]
        ys = [y - offset_y for y in box[1::2]]
        return (
            xs[0] / scale_x + left,
            ys[0] / scale_y + top,
            xs[1] / scale_x + left,
            ys[1] / scale_y + top,
        )

    def source_matrix(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Return the affine matrix from points of the prepared image to the source.

        Example:
            >>> g = ImageGeometry((100, 80), (10, 20, 50, 100), (0.5, 0.5), True)
            >>> g.source_matrix()
            ((-2.0, 0.0, 50.0), (0.0, 2.0, 20.0))
        """
        (scale_y, scale_x), (offset_y, offset_x) = self.scale_hw, self.offset_hw
        left, top, right, _ = self.crop_box
        in_x, x = (-1 / scale_x, right) if self.flipped else (1 / scale_x, left)
        return (in_x, 0.0, x - in_x * offset_x), (0.0, 1 / scale_y, top - offset_y / scale_y)

    @property
    def _scaled_width(self) -> float:
        return (self.crop_box[2] - self.crop_box[0]) * self.scale_hw[1]

    def to_json(self) -> dict[str, Any]:
        """Return the plain form that the annotations carry."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "ImageGeometry":
        """Read the plain form."""
        return cls(
            source_size_hw=(int(value["source_size_hw"][0]), int(value["source_size_hw"][1])),
            crop_box=tuple(int(v) for v in value["crop_box"]),  # type: ignore[arg-type]
            scale_hw=(float(value["scale_hw"][0]), float(value["scale_hw"][1])),
            flipped=bool(value["flipped"]),
            offset_hw=(int(value["offset_hw"][0]), int(value["offset_hw"][1])),
        )
