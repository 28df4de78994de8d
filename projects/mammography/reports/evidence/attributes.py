"""What divides cases into subgroups: density, age, vendor, view, site and side."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.reports.cases import Cases
from mammography.structures.annotation import Annotations, ImageRecord, read_annotations
from mammography.structures.prediction import PredictionRecord
from mammography.terms import Level

NOT_RECORDED = "not recorded"
SEVERAL = "several"
# Decades of screening ages; the first holds all younger ones, the last all older ones.
_AGES = (40, 50, 60, 70, 80)
_SITE_WORDS = ("site", "site_id", "hospital", "domain", "datasettype")
_DENSITY_WORDS = ("density", "breast_density", "composition")
_AGE_WORDS = ("age_years", "age", "age_group")


@dataclass(frozen=True)
class Joined:
    """The annotation behind the images of a dump.

    Attributes:
        annotations: What was read; None if nothing was.
        records: Its images by ``image_id`` and by ``img_path``.
        note: What was joined, or why nothing was.
        root: Folder that ``img_path`` are relative to.
    """

    annotations: Annotations | None = None
    records: Mapping[str, ImageRecord] = field(default_factory=dict)
    note: str = ""
    root: Path | None = None

    def of(self, row: PredictionRecord) -> ImageRecord | None:
        """Return the annotation of an image."""
        return self.records.get(row.image_id or "") or self.records.get(row.img_path)


@dataclass(frozen=True)
class Attribute:
    """One way to divide the cases.

    Attributes:
        title: Name on the page.
        values: One per case; :data:`NOT_RECORDED` where nothing is known.
    """

    title: str
    values: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether anything is known."""
        return any(value != NOT_RECORDED for value in self.values)

    @property
    def groups(self) -> list[str]:
        """The values in order; what is not recorded last."""
        return sorted(set(self.values), key=lambda value: (value == NOT_RECORDED, _order(value)))


def _order(value: str) -> tuple[int, str]:
    return (0 if value.startswith("below") else 1), value


def join(info: Mapping[str, Any], data_root: Path | None = None) -> Joined:
    """Read the annotation file that a dump names, where it is there.

    Args:
        info: Of the dump.
        data_root: Folder of the data set, when it has moved.
    """
    named = data_root or info.get("data_root")
    root = Path(str(named)) if named else None
    if not info.get("ann_file"):
        return Joined(note="The dump names no annotation file: only what it holds itself is known.")
    path = Path(str(info["ann_file"]))
    if not path.is_file() and root:
        path = root / path
    if not path.is_file():
        return Joined(
            note=f"The annotation file {path.name} was not found, so that density, age, vendor and "
            "site are not known: give its folder with --data-root.",
            root=root,
        )
    try:
        annotations = read_annotations(path)
    except ValueError as error:
        return Joined(note=f"The annotation file could not be used: {error}", root=root)
    rows = annotations.records
    index = {row.img_path: row for row in rows}
    index |= {row.image_id: row for row in rows if row.image_id}
    return Joined(annotations, index, f"Joined with {path.name} by image.", root)


def attributes_of(cases: Cases, joined: Joined, level: Level) -> tuple[Attribute, ...]:
    """Return the ways to divide cases of which anything is known.

    Args:
        cases: The cases.
        joined: The annotation of their images.
        level: What one case is.
    """
    read: dict[str, Callable[[PredictionRecord, ImageRecord | None], Any]] = {
        "density": lambda row, image: _density(row, image, joined),
        "age": lambda row, image: _age(_clinical(image, _AGE_WORDS)),
        "vendor": lambda row, image: image and image.manufacturer,
        "site": lambda row, image: _clinical(image, _SITE_WORDS),
        "view": lambda row, image: row.view_position,
        "side": lambda row, image: row.laterality if level in (Level.IMAGE, Level.BREAST) else None,
        "kind of image": lambda row, image: image and image.image_kind,
    }
    found = []
    for title, value in read.items():
        join_words = " + ".join if title == "view" else None
        values = tuple(
            _one((value(row, joined.of(row)) for row in member), join_words)
            for member in cases.members
        )
        found.append(Attribute(title, values))
    return tuple(attribute for attribute in found if attribute.known)


def _one(values: Iterable[Any], together: Callable[[list[str]], str] | None) -> str:
    """Say in one word what the images of a case are."""
    known = sorted({str(value) for value in values if value not in (None, "")})
    if len(known) > 1:
        return together(known) if together else SEVERAL
    return known[0] if known else NOT_RECORDED


def _clinical(image: ImageRecord | None, words: tuple[str, ...]) -> Any:
    told = image.clinic_vars if image else {}
    return next((told[word] for word in words if told.get(word) not in (None, "")), None)


def _density(row: PredictionRecord, image: ImageRecord | None, joined: Joined) -> str | None:
    """Read the density as a label, by the name of its class, or as a clinical variable."""
    told = _clinical(image, _DENSITY_WORDS)
    if told is not None:
        return str(told)
    labels = (image.gt_label if image else {}) | row.gt_label
    task = joined.annotations.tasks.get("density") if joined.annotations else None
    if "density" not in labels:
        return None
    index = int(labels["density"])
    return task.classes[index] if task and task.classes else str(index)


def _age(told: Any) -> str | None:
    """Put an age into its decade; what is no number is a group by itself."""
    if told is None:
        return None
    try:
        age = float(told)
    except (TypeError, ValueError):
        return str(told)
    if age < _AGES[0]:
        return f"below {_AGES[0]}"
    low = max(edge for edge in _AGES if edge <= age)
    return f"{low} and above" if low == _AGES[-1] else f"{low} to {low + 9}"
