"""A picture of a file as it is, with the crop box, and of what is kept beside it."""

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mammography.preparation.grey import density_maps, without_padding
from mammography.preparation.image import PreparedImage
from mammography.preparation.options import PreparationOptions
from mammography.preparation.reading import Picture, read_picture

_HEIGHT, _MARGIN, _LINE = 800, 12, 20
_PAPER, _INK, _FAINT = (255, 255, 255), (20, 20, 20), (110, 110, 110)
_BOX = (230, 159, 0)  # Of Okabe and Ito (2008): told apart by every kind of colour vision.
_LARGEST = 4 * _HEIGHT  # Pixels of a source along a side; of more only some are looked at.
_TITLES = ("file: dense is bright, grey stretched for display", "prepared: as it will be")


def draw_preview(
    path: Path, options: PreparationOptions, prepared: PreparedImage | None, lines: Sequence[str]
) -> bytes:
    """Draw a file and what the preparation keeps of it, as an 8-bit PNG.

    Args:
        path: The file; what is burnt into its image is drawn as well.
        options: How images are prepared.
        prepared: What was prepared; none of a file that was rejected.
        lines: Text above the pictures.

    Raises:
        RejectedImage: If the file has no pixels that can be read.
    """
    pictures = [_source(read_picture(path, options), options, prepared)]
    if prepared is not None:
        grey = (prepared.pixels >> 8).astype(np.uint8)
        pictures.append(Image.fromarray(_scaled(grey)).convert("RGB"))
    page = _page(pictures, lines)
    stream = BytesIO()
    page.save(stream, "PNG")
    return stream.getvalue()


def _source(
    file: Picture, options: PreparationOptions, prepared: PreparedImage | None
) -> Image.Image:
    step = max(max(file.stored.shape) // _LARGEST, 1)
    part, header = file.stored[::step, ::step], file.header
    if prepared is not None:  # The picture may have told what is dense.
        header = replace(header, inverted=prepared.facts["dense_values"] == "low")
    density = without_padding(part, header, density_maps(part, header, options))
    low, high = np.percentile(density, (0.1, 99.9))
    grey = np.clip((density - low) / max(high - low, 1e-9), 0, 1)
    picture = Image.fromarray(_scaled((255 * grey).astype(np.uint8))).convert("RGB")
    if prepared is not None:
        scales = picture.width / file.size_hw[1], picture.height / file.size_hw[0]
        box = [round(end * scales[i % 2]) for i, end in enumerate(prepared.geometry.crop_box)]
        # The box ends before its right and lower bounds.
        corners = (box[0], box[1], max(box[2] - 1, box[0]), max(box[3] - 1, box[1]))
        ImageDraw.Draw(picture).rectangle(corners, outline=_BOX, width=3)
    return picture


def _scaled(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale to the height of the page, or to its width if the image is very wide."""
    height, width = grey.shape
    scale = min(_HEIGHT / height, 2 * _HEIGHT / width)
    size_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    scaled: NDArray[np.uint8] = cv2.resize(grey, size_wh, interpolation=smaller)
    return scaled


def _page(pictures: Sequence[Image.Image], lines: Sequence[str]) -> Image.Image:
    font = ImageFont.load_default(14)
    top = _MARGIN + _LINE * (len(lines) + 1)
    widths = [max(p.width, 340) for p in pictures]  # As wide as its title at least.
    needed = sum(widths) + _MARGIN * (len(pictures) + 1)
    width = max([needed, *(int(font.getlength(line)) + 2 * _MARGIN for line in lines)])
    page = Image.new("RGB", (width, top + max(p.height for p in pictures) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        draw.text((_MARGIN, _MARGIN + _LINE * number), line, _INK, font)
    left = _MARGIN
    for picture, title, step in zip(pictures, _TITLES, widths, strict=False):
        draw.text((left, top - _LINE), title, _FAINT, font)
        page.paste(picture, (left, top))
        left += step + _MARGIN
    return page
