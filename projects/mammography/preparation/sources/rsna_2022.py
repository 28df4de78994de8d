"""RSNA 2022: screening mammograms of two sites, from the training table of the challenge."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_tables.image_folder import ImageFolder
from mammography.preparation.source_tables.listing import Listing
from mammography.preparation.source_tables.rsna_2022_images import (
    SITES,
    VIEWS,
    Image,
    read_images,
)
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Level

LEVEL = Level.BREAST
PUBLIC = True
FILE_OPTIONS = ("table", "images")
DEFAULT_TASKS = ("malignant:binary", "invasive:binary", "density:ordinal=A,B,C,D")

_IMAGES, _SUFFIX = "train_images", ".dcm"
_OF_BREAST = ("biopsy", "birads", "density", "difficult_negative")
_OUTCOMES = ("malignant", "invasive", "recall", *_OF_BREAST, "age_years")

logger = logging.getLogger(__name__)


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    table: str = "",
    images: str = _IMAGES,
    views: tuple[str, ...] = (),
    sites: tuple[str, ...] = (),
    implants: bool = True,
) -> Iterator[ImageRecord]:
    """Read one record per image of the training table.

    An image that is not there keeps the published path, by which the preparation rejects
    it.

    Args:
        root: Folder that holds ``train.csv`` and ``train_images``.
        tasks: Some of ``malignant``, ``invasive``, ``recall``, ``biopsy``, ``birads``,
            ``density``, ``difficult_negative`` and ``age_years``.
        table: The training table if it has another name; relative to the root.
        images: Folder of the images; relative to the root.
        views: Which views; by default all.
        sites: Which sites; by default all.
        implants: Whether images of breasts with an implant are prepared.

    Raises:
        TableError: If the table cannot be read, or with the list of its bad cells.
        ValueError: If an option or a task is unknown.
    """
    source = _Rsna2022(root, tasks, table, views, sites, implants)
    folder = ImageFolder(root, images, _SUFFIX)
    contents = source.contents(folder.published)
    contents.check()
    for what, count in contents.facts["left_out"].items():
        logger.warning("source rsna_2022: images left out by %s: %d", what, count)
    for image, record in zip(source.kept, contents.records, strict=True):
        yield replace(record, img_path=folder.find(image.patient_id, image.image_id))


def read_contents(
    root: Path, tasks: dict[str, Task], images: str = _IMAGES, **options: Any
) -> Contents:
    """Read what the table says; the options are those of :func:`read_records`."""
    return _Rsna2022(root, tasks, **options).contents(ImageFolder(root, images, _SUFFIX).published)


@dataclass(frozen=True)
class _Rsna2022:
    """The table and what is asked of it."""

    root: Path
    tasks: dict[str, Task]
    table: str = ""
    views: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    implants: bool = True

    def __post_init__(self) -> None:
        check_task_names("rsna_2022", self.tasks, _OUTCOMES)
        check_choice("rsna_2022", "views", self.views, VIEWS)
        check_choice("rsna_2022", "sites", self.sites, SITES)

    @cached_property
    def listed(self) -> Listing[Image]:
        return read_images(self.root, self.table)

    @cached_property
    def kept(self) -> list[Image]:
        return [image for image in self.listed.items if not self._left_out_by(image)]

    def contents(self, path: Callable[[str, str], str]) -> Contents:
        """Return the records, and what to compare with the card."""
        listed = self.listed.items
        return Contents(
            rows=self.listed.rows,
            records=tuple(self._record(image, path) for image in self.kept),
            problems=(self.listed.problems,),
            facts={
                "left_out": dict(Counter(filter(None, map(self._left_out_by, listed)))),
                "images_by": {
                    name: dict(sorted(Counter(str(getattr(i, name)) for i in listed).items()))
                    for name in ("site_id", "machine_id", "view", "implant")
                },
                "known_by_site": _known(listed),
                "breasts_whose_images_differ_in": _unlike(listed),
            },
        )

    def _left_out_by(self, image: Image) -> str | None:
        """Name the first option that leaves an image out."""
        if self.views and image.view not in self.views:
            return "views"
        if self.sites and image.site_id not in self.sites:
            return "sites"
        return None if self.implants or not image.implant else "implants"

    def _record(self, image: Image, path: Callable[[str, str], str]) -> ImageRecord:
        # Codes as text, since 49 is not more than 29.
        clinic = {
            "site_id": image.site_id,
            "machine_id": image.machine_id,
            "implant": image.implant,
        }
        known = image.values
        return ImageRecord(
            img_path=path(image.patient_id, image.image_id),
            patient_id=image.patient_id,
            exam_id=image.patient_id,  # The table does not tell exams apart.
            laterality=image.laterality,
            view_position=image.view_position,
            gt_label=encode_labels(self.tasks, known),
            clinic_vars=clinic | {n: value for n, value in known.items() if n == "age_years"},
        )


def _known(images: Iterable[Image]) -> dict[str, dict[str, int]]:
    """How many images of each site have each outcome: whether it is known may tell the site."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for image in images:
        counts[image.site_id].update(image.values.keys())
    return {site: dict(sorted(counter.items())) for site, counter in sorted(counts.items())}


def _unlike(images: Iterable[Image]) -> dict[str, int]:
    """How many breasts have images with different labels of what should be of the breast."""
    values: dict[tuple[Any, ...], set[Any]] = defaultdict(set)
    for image in images:
        for name in _OF_BREAST:
            values[name, *image.breast].add(image.values.get(name))
    counts = Counter(name for (name, *_), found in values.items() if len(found) > 1)
    return {name: counts[name] for name in _OF_BREAST}
