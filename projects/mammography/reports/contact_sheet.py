"""Many prepared images side by side, with what is known of each below it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mammography.functional.png16 import decode_png16
from mammography.reports.picture_sheet import Outline, Tile, draw_sheet, frame_picture, shrink
from mammography.reports.thumbnails import stretch_for_display
from mammography.structures.annotation import ImageRecord, read_annotations
from mammography.structures.task import Task
from mammography.terms import TaskKind

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
    content = read_annotations(annotations)
    shown = content.records[:limit]
    if not shown:
        raise ValueError(f"{annotations} must list at least one image to draw")
    title = f"{content.source}: {len(shown)} of {len(content.records)} images"
    tiles = [
        _tile(record, content.tasks, annotations.parents[1], with_findings=findings)
        for record in shown
    ]
    sheet = draw_sheet(tiles, columns, (title, _legend(shown) if findings else _NOTE))
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out)
    return len(shown)


def _legend(records: Sequence[ImageRecord]) -> str:
    boxes = sum(len(record.findings) for record in records)
    return f"{boxes} findings: malignant orange, other blue; {_NOTE}"


def _tile(
    record: ImageRecord, tasks: dict[str, Task], data_root: Path, *, with_findings: bool
) -> Tile:
    small, scale = shrink(decode_png16((data_root / record.img_path).read_bytes()))
    found = record.findings if with_findings else ()
    outlines = [Outline.of_box(finding.box, finding.malignant) for finding in found]
    picture = frame_picture(stretch_for_display(small), outlines, scale)
    return Tile(picture, tuple(_caption(record, tasks)))


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
