"""The outlines of INbreast: one property list in XML per image, as OsiriX exports it."""

import plistlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.tables import Row
from mammography.structures.annotation import Finding
from mammography.structures.geometry import Box

FOLDER = "AllXML"
UNNAMED = "unnamed"
# What counts for which task.
KINDS = {
    "mass": "mass",
    "spiculated region": "mass",
    "calcification": "calcification",
    "calcification cluster": "calcification",
    "asymmetry": "asymmetry",
    "distortion": "distortion",
}
# Names as they are written, in any case, to labels of findings.
_LABELS = {
    "mass": "mass",
    "spiculated region": "spiculated region",
    "espiculated region": "spiculated region",
    "calcification": "calcification",
    "calcifications": "calcification",
    "cluster": "calcification cluster",
    "asymmetry": "asymmetry",
    "assymetry": "asymmetry",
    "distortion": "distortion",
    "unnamed": UNNAMED,
}
_DEFAULT_NAME = re.compile(r"point \d+")  # What OsiriX calls a point that nobody named.
_NUMBER = r"\s*(-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*"
_POINT = re.compile(rf"\({_NUMBER},{_NUMBER}\)")

Point = tuple[float, float]


@dataclass(frozen=True)
class Outlines:
    """The outlines of all images.

    Args:
        root: Folder of the source.
        problems: What is wrong in the files.
    """

    root: Path
    problems: cells.Problems = field(default_factory=lambda: cells.Problems(FOLDER))

    @cached_property
    def exist(self) -> bool:
        """Whether there are any, so that an image without has been looked at."""
        return any((self.root / FOLDER).glob("*.xml"))

    def read(self, number: str) -> tuple[Finding, ...] | None:
        """Return what is outlined on an image; none where no file tells.

        A bad file is noted in ``problems``; its good outlines are returned.
        """
        path = self.root / FOLDER / f"{number}.xml"
        if not path.is_file():
            return None
        rois = self._rois(path)
        found = [
            self._finding(Row(f"{path.name} ROI {i}", roi)) for i, roi in enumerate(rois, start=1)
        ]
        return tuple(finding for finding in found if finding)

    def _rois(self, path: Path) -> list[dict[str, Any]]:
        row = Row(path.name, {})
        try:
            with path.open("rb") as stream:
                content = plistlib.load(stream, fmt=plistlib.FMT_XML)
        except Exception as error:  # Each kind of damage has its own.
            self.problems.add(row, "the file", "be a property list in XML", type(error).__name__)
            return []
        images = content.get("Images") if isinstance(content, dict) else None
        one = images[0] if isinstance(images, list) and len(images) == 1 else None
        image: dict[str, Any] = one if isinstance(one, dict) else {}
        rois = image.get("ROIs")
        if not isinstance(rois, list) or not all(isinstance(roi, dict) for roi in rois):
            self.problems.add(row, "Images", "hold one image with a list ROIs", "something else")
            return []
        count = image.get("NumberOfROIs", len(rois))
        if count != len(rois):
            self.problems.add(row, "NumberOfROIs", f"be {len(rois)}, the length of ROIs", count)
        return rois

    def _finding(self, row: Row) -> Finding | None:
        points = self._points(row)
        label = self.problems.read(row, "Name", _label) or UNNAMED
        if not points:
            return None
        if label == UNNAMED and len(points) == 1:
            label = "calcification"  # Nothing else is marked by a point.
        return Finding(_box(points), label, outline=tuple(points) if len(points) > 2 else ())

    def _points(self, row: Row) -> list[Point]:
        """Return the points; none when something is wrong with them."""
        texts = row.cells.get("Point_px")
        if not isinstance(texts, list) or not texts:
            self.problems.add(row, "Point_px", "list at least one point", type(texts).__name__)
            return []
        if row.cells.get("NumberOfPoints", len(texts)) != len(texts):
            rule = f"be {len(texts)}, the length of Point_px"
            self.problems.add(row, "NumberOfPoints", rule, row.cells["NumberOfPoints"])
            return []
        matches = [_POINT.fullmatch(str(text)) for text in texts]
        for text, match in zip(texts, matches, strict=True):
            if match is None:
                self.problems.add(row, "Point_px", "hold points such as '(9.5, 30)'", text)
                return []
        return [(float(match[1]), float(match[2])) for match in matches if match]


def _label(value: object) -> str:
    name = " ".join(str(value).lower().split())
    if _DEFAULT_NAME.fullmatch(name):
        return UNNAMED
    return _LABELS[cells.one_of(tuple(_LABELS))(name)]


def _box(points: Sequence[Point]) -> Box:
    """Return the box around points, at least a pixel wide and high."""
    (left, right), (top, bottom) = (_span(values) for values in zip(*points, strict=True))
    return left, top, right, bottom


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max(1 - (high - low), 0) / 2
    return low - room, high + room


def presence(findings: Iterable[Finding]) -> dict[str, int]:
    """Tell for each kind of finding whether there is one, where that is known.

    An outline without a name may be anything: then it is not known that a kind is absent.

    Example:
        >>> presence([Finding((0, 0, 9, 9), "spiculated region")])
        {'mass': 1, 'calcification': 0, 'asymmetry': 0, 'distortion': 0}
        >>> presence([Finding((0, 0, 9, 9), "mass"), Finding((0, 0, 9, 9), "unnamed")])
        {'mass': 1}
    """
    labels = {finding.label for finding in findings}
    seen = {KINDS[label] for label in labels - {UNNAMED}}
    return {
        kind: int(kind in seen)
        for kind in dict.fromkeys(KINDS.values())
        if kind in seen or UNNAMED not in labels
    }
