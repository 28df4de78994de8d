"""Pictures side by side on one sheet, with lines of text below each."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_TILE_WH = (240, 340)
_MARGIN, _LINE = 10, 16
_PAPER, _INK, _FAINT, _FRAME = (255, 255, 255), (20, 20, 20), (110, 110, 110), (205, 205, 205)
# Okabe and Ito (2008): told apart by every kind of colour vision.
_MALIGNANT, _OTHER = (213, 94, 0), (86, 180, 233)


@dataclass(frozen=True)
class Outline:
    """A lesion to draw: points ``(x, y)`` in pixels of the picture, pixel i covering [i, i + 1)."""

    points: tuple[tuple[float, float], ...]
    malignant: bool = False

    @classmethod
    def of_box(
        cls, box: tuple[float, float, float, float], malignant: bool | None = None
    ) -> "Outline":
        """Return the outline of a box ``(left, top, right, bottom)``."""
        left, top, right, bottom = box
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        return cls(corners, bool(malignant))


@dataclass(frozen=True)
class Tile:
    """A picture of at most a tile, and what is written below it."""

    picture: Image.Image
    lines: tuple[str, ...] = ()


def shrink(image: NDArray[np.generic]) -> tuple[NDArray[np.generic], float]:
    """Make an image as small as a tile; return it and the scale."""
    height, width = image.shape
    scale = min((_TILE_WH[0] - 2) / width, (_TILE_WH[1] - 2) / height)
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), scale


def frame_picture(
    grey: NDArray[np.uint8], outlines: Sequence[Outline] = (), scale: float = 1.0
) -> Image.Image:
    """Put a thin frame around a picture and draw outlines on it, malignant ones orange.

    Args:
        grey: Picture, (H, W).
        outlines: Lesions, in pixels of the image that the picture was made from.
        scale: Pixels of the picture per pixel of that image.
    """
    picture = Image.new("RGB", (grey.shape[1] + 2, grey.shape[0] + 2), _FRAME)
    picture.paste(Image.fromarray(grey), (1, 1))
    draw = ImageDraw.Draw(picture)
    for outline in outlines:
        points = [(round(x * scale) + 1, round(y * scale) + 1) for x, y in outline.points]
        colour = _MALIGNANT if outline.malignant else _OTHER
        draw.line([*points, points[0]], fill=colour, width=2)
    return picture


def draw_sheet(tiles: Sequence[Tile], columns: int, header: tuple[str, str]) -> Image.Image:
    """Lay tiles out in rows below a title and a note.

    Args:
        tiles: What to show, row by row.
        columns: Tiles per row; no more are made than there are tiles.
        header: Title and note.

    Raises:
        ValueError: If there is no column.
    """
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    pictures = [_draw_tile(tile) for tile in tiles]
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    step_x = _TILE_WH[0] + _MARGIN
    step_y = max(picture.height for picture in pictures) + _MARGIN
    top = 3 * _MARGIN + 2 * _LINE
    size = (columns * step_x + _MARGIN, top + rows * step_y)
    needed = max(int(_font(12).getlength(line)) for line in header) + 2 * _MARGIN
    sheet = Image.new("RGB", (max(size[0], needed), size[1]), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), header[0], _INK, _font(16))
    draw.text((_MARGIN, _MARGIN + _LINE + 6), header[1], _FAINT, _font(12))
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        sheet.paste(picture, (_MARGIN + column * step_x, top + row * step_y))
    return sheet


def _draw_tile(tile: Tile) -> Image.Image:
    width, height = _TILE_WH
    drawn = Image.new("RGB", (width, height + _LINE * len(tile.lines) + 4), _PAPER)
    picture = tile.picture
    drawn.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    draw = ImageDraw.Draw(drawn)
    for number, line in enumerate(tile.lines):
        position = (width / 2, height + _LINE * number + 2)
        draw.text(position, line, _FAINT if number else _INK, _font(12 if number else 14), "ma")
    return drawn


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
