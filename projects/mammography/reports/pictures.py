"""Small pictures of tested images with the outlines of their annotation."""

from collections.abc import Sequence
from pathlib import Path

from mammography.reports.blocks import Outline, Picture
from mammography.reports.thumbnails import make_overlay, make_thumbnail
from mammography.reports.wording import counted
from mammography.structures.annotation import Finding, ImageRecord

BOXES = (
    "Outlines are those of the annotation, not found by the model: solid for malignant, dashed "
    "for benign, dotted for not known."
)


def annotated_picture(
    path: Path,
    title: str,
    lines: Sequence[str],
    annotation: ImageRecord | None,
    overlay: Path | None = None,
) -> Picture:
    """Show an image; one that cannot be read is named instead.

    Args:
        path: The image.
        title: What it shows, for those who cannot see it.
        lines: Text below it.
        annotation: Of the image, when it is known.
        overlay: Picture to lay over it.
    """
    texts = list(lines)
    try:
        thumbnail = make_thumbnail(path)
    except (OSError, ValueError):
        return Picture("", (4, 3), (), f"{title}: picture not found", tuple(texts))
    size_hw = thumbnail.size_hw
    if annotation and annotation.size_hw not in (None, size_hw):
        texts.append("annotated at another size: no box drawn")
        annotation = None
    findings = annotation.findings if annotation else ()
    outlines = tuple(_outline(finding) for finding in findings)
    if findings:
        texts.append(", ".join(finding.label for finding in findings))
    alt = f"Mammogram {title}, {counted(len(outlines), 'outline')}"
    over = make_overlay(overlay) if overlay else ""
    return Picture(thumbnail.data_uri, size_hw, outlines, alt, tuple(texts), over)


def _outline(finding: Finding) -> Outline:
    left, top, right, bottom = finding.box
    style = {True: "malignant", False: "benign", None: "unknown"}[finding.malignant]
    return Outline(left, top, right - left, bottom - top, style)
