"""Many prepared images side by side, with what is known of each below it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
from PIL import Image, ImageDraw, ImageFont

from mammography.functional.png16 import decode_png16
from mammography.reports.thumbnails import stretch_for_display
from mammography.structures.annotation import Finding, ImageRecord, read_annotations
from mammography.structures.task import Task
from mammography.terms import TaskKind

_TILE_WH = (240, 340)
_MARGIN, _LINE = 10, 16
_PAPER, _INK, _FAINT, _FRAME = (255, 255, 255), (20, 20, 20), (110, 110, 110), (205, 205, 205)
# Okabe and Ito (2008): told apart by every kind of colour vision.
_MALIGNANT, _OTHER = (213, 94, 0), (86, 180, 233)
_NOTE = "grey values stretched for display only; a thin frame marks the edge of each PNG"


def write_contact_sheet(
    annotations: Path,
    out: Path,
    *,
    columns: int = 6,
    limit: int | None = 60,
    findings: bool = False,
) -> int:
    """Draw the images of an annotation file on one sheet.

    Args:
        annotations: ``dataset/<source>/annotations/<split>.json``.
        out: PNG file to write.
        columns: Images per row.
        limit: Draw the first images only; ``None`` draws all.
        findings: Whether to draw the boxes of the findings.

    Returns:
        How many images the sheet shows.

    Raises:
        ValueError: If the annotations are malformed or list nothing.
        FileNotFoundError: If an image is missing.
    """
    if columns < 1:
        raise ValueError(f"columns must be at least 1, got {columns}")
    content = read_annotations(annotations)
    shown = content.records[:limit]
    if not shown:
        raise ValueError(f"{annotations} must list at least one image to draw")
    title = f"{content.source}: {len(shown)} of {len(content.records)} images"
    tiles = [
        _tile(record, content.tasks, annotations.parents[1], with_findings=findings)
        for record in shown
    ]
    sheet = _sheet(tiles, columns, (title, _legend(shown) if findings else _NOTE))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return len(shown)


def _legend(records: Sequence[ImageRecord]) -> str:
    boxes = sum(len(record.findings) for record in records)
    return f"{boxes} findings: malignant orange, other blue; {_NOTE}"


def _tile(
    record: ImageRecord, tasks: dict[str, Task], data_root: Path, *, with_findings: bool
) -> Image.Image:
    picture = _picture(data_root / record.img_path, record.findings if with_findings else ())
    lines = list(_caption(record, tasks))
    width, height = _TILE_WH
    tile = Image.new("RGB", (width, height + _LINE * len(lines) + 4), _PAPER)
    tile.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    draw = ImageDraw.Draw(tile)
    for number, line in enumerate(lines):
        position = (width / 2, height + _LINE * number + 2)
        draw.text(position, line, _FAINT if number else _INK, _font(12 if number else 14), "ma")
    return tile


def _picture(path: Path, findings: Sequence[Finding]) -> Image.Image:
    image = decode_png16(path.read_bytes())
    height, width = image.shape
    scale = min((_TILE_WH[0] - 2) / width, (_TILE_WH[1] - 2) / height)
    size_wh = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    picture = Image.new("RGB", (size_wh[0] + 2, size_wh[1] + 2), _FRAME)
    picture.paste(Image.fromarray(stretch_for_display(small)), (1, 1))
    draw = ImageDraw.Draw(picture)
    for finding in findings:
        left, top, right, bottom = (round(v * scale) + 1 for v in finding.box)
        colour = _MALIGNANT if finding.malignant else _OTHER
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=colour, width=2)
    return picture


def _caption(record: ImageRecord, tasks: dict[str, Task]) -> Iterator[str]:
    view = f"{record.laterality or '?'} {record.view_position or '?'}"
    height, width = record.size_hw or (0, 0)
    yield f"{view}   {height} x {width}"
    for name, task in tasks.items():
        if name in record.gt_label:
            yield f"{name}: {_spell(task, record.gt_label[name])}"
        else:
            yield f"{name}: no label"
    yield " · ".join(str(part) for part in (record.split, record.manufacturer) if part)
    yield str(record.image_id or Path(record.img_path).stem)


def _spell(task: Task, label: float) -> str:
    return f"{label:g}" if task.kind is TaskKind.REGRESSION else task.classes[int(label)]


def _sheet(tiles: Sequence[Image.Image], columns: int, header: tuple[str, str]) -> Image.Image:
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    step_x = _TILE_WH[0] + _MARGIN
    step_y = max(tile.height for tile in tiles) + _MARGIN
    top = 3 * _MARGIN + 2 * _LINE
    size = (columns * step_x + _MARGIN, top + rows * step_y)
    needed = max(int(_font(12).getlength(line)) for line in header) + 2 * _MARGIN
    sheet = Image.new("RGB", (max(size[0], needed), size[1]), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), header[0], _INK, _font(16))
    draw.text((_MARGIN, _MARGIN + _LINE + 6), header[1], _FAINT, _font(12))
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        sheet.paste(tile, (_MARGIN + column * step_x, top + row * step_y))
    return sheet


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
