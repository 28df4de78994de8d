"""The exams of VinDr-Mammo: what its tables say together, as labels and findings."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mammography.preparation import cells
from mammography.preparation.contents import Contents, check_task_names, encode_labels
from mammography.preparation.source_tables.vindr_mammo_findings import (
    CATEGORIES,
    FindingTable,
    Mark,
)
from mammography.preparation.source_tables.vindr_mammo_images import (
    BIRADS,
    DENSITIES,
    Image,
    ImageTable,
)
from mammography.preparation.source_tables.vindr_mammo_metadata import Header, MetadataTable
from mammography.preparation.splits import assign_splits
from mammography.preparation.tables import Row
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.task import Task
from mammography.terms import Laterality, Split

_OUTCOMES = ("suspicious", "birads", "density", *CATEGORIES.values())
_VIEWS_OF_AN_EXAM = 4


@dataclass(frozen=True)
class VinDrMammo:
    """The tables and what is asked of them.

    Args:
        root: Folder of the tables.
        tasks: Outcomes by name.
        breast_table: The breast-level table if it has another name.
        finding_table: The table of findings if it has another name.
        metadata: The table of metadata if it has another name; ``none`` to leave it.
        boxes: Whether records have the boxes.
        official_split: Whether the split of the tables is kept.
        validation: Share of the official training part that becomes ``val``.
        suspicious_from: Lowest BI-RADS of a suspicious breast.
        suspicious_without: BI-RADS whose breasts get no label ``suspicious``.

    Raises:
        ValueError: If a task or an option is unknown.
    """

    root: Path
    tasks: dict[str, Task]
    breast_table: str = ""
    finding_table: str = ""
    metadata: str = ""
    boxes: bool = True
    official_split: bool = True
    validation: float = 0.0
    suspicious_from: int = 4
    suspicious_without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the tables cannot give."""
        check_task_names("vindr_mammo", self.tasks, _OUTCOMES)
        grades = [str(grade) for grade in BIRADS]
        rules = [
            ("validation must be at least 0 and below 1", 0 <= self.validation < 1),
            (
                "validation must be 0 where official_split is false, which draws its own",
                self.official_split or not self.validation,
            ),
            ("suspicious_from must be 2, 3, 4 or 5", self.suspicious_from in BIRADS[1:]),
            (
                f"suspicious_without must be some of {', '.join(grades)}",
                not set(self.suspicious_without) - set(grades),
            ),
        ]
        for rule, holds in rules:
            if not holds:
                name = rule.partition(" ")[0]
                raise ValueError(f"source vindr_mammo: {rule}, got {getattr(self, name)!r}")

    @cached_property
    def listed(self) -> ImageTable:
        """What the breast-level table lists."""
        return ImageTable.read(self.root, self.breast_table)

    @cached_property
    def findings(self) -> FindingTable:
        """What the table of findings lists."""
        return FindingTable.read(self.root, self.listed, self.finding_table)

    @cached_property
    def headers(self) -> MetadataTable:
        """What the table of metadata lists."""
        return MetadataTable.read(self.root, self.metadata)

    @cached_property
    def images(self) -> tuple[Image, ...]:
        """The images that are in both tables."""
        named = self.findings.named
        return tuple(image for image in self.listed.images.values() if image.image_id in named)

    @cached_property
    def marks(self) -> dict[str, list[Mark]]:
        """Boxes by image."""
        marks: dict[str, list[Mark]] = defaultdict(list)
        for mark in self.findings.marks:
            marks[mark.image_id].append(mark)
        return marks

    @cached_property
    def found(self) -> dict[tuple[str, Laterality], set[str]]:
        """Categories of all boxes of a breast, on any of its images."""
        found: dict[tuple[str, Laterality], set[str]] = defaultdict(set)
        for image in self.images:
            for mark in self.marks.get(image.image_id, ()):
                found[image.breast].update(mark.categories)
        return found

    @cached_property
    def held_out(self) -> frozenset[str]:
        """Exams of the official training part that become validation."""
        worst: dict[str, tuple[float, ...]] = {}
        for image in self.images:
            if image.split is Split.TRAIN:
                new = float(image.breast_birads), float(DENSITIES.index(image.breast_density))
                worst[image.study_id] = tuple(map(max, worst.get(image.study_id, new), new))
        shares = {Split.TRAIN: 1 - self.validation, Split.VAL: self.validation}
        drawn = assign_splits(worst, shares)
        return frozenset(exam for exam, split in drawn.items() if split is Split.VAL)

    def contents(self, path: Callable[[str, str], str]) -> Contents:
        """Return the records, and what to compare with the card.

        Args:
            path: Of the file of an exam and an image.
        """
        tables = (self.listed, self.findings, self.headers)
        return Contents(
            rows=sum(table.rows for table in tables),
            records=tuple(self.record(image, path) for image in self.images),
            problems=(
                self.listed.problems,
                self._alone(),
                self.findings.problems,
                self.headers.problems,
            ),
            facts={"rows_by_table": {table.problems.name: table.rows for table in tables}}
            | self._facts(),
        )

    def record(self, image: Image, path: Callable[[str, str], str]) -> ImageRecord:
        """Return an image with the labels of its breast and its own boxes."""
        header = self.headers.headers.get(image.image_id, Header())
        age = {} if header.age_years is None else {"age_years": header.age_years}
        return ImageRecord(
            img_path=path(image.study_id, image.image_id),
            patient_id=image.study_id,  # Nobody tells which exams are of one patient.
            exam_id=image.study_id,
            laterality=image.laterality,
            view_position=image.view_position,
            manufacturer=header.manufacturer,
            split=self._split(image),
            gt_label=self._labels(image),
            clinic_vars=age,
            findings=tuple(
                Finding(mark.box, category)
                for mark in self.marks.get(image.image_id, ())
                for category in mark.categories
                if self.boxes
            ),
        )

    def _split(self, image: Image) -> Split | None:
        if not self.official_split:
            return None
        return Split.VAL if image.study_id in self.held_out else image.split

    def _labels(self, image: Image) -> dict[str, float]:
        grade, found = image.breast_birads, self.found.get(image.breast, set())
        values = {"birads": grade, "density": image.breast_density} | {
            category: int(category in found) for category in CATEGORIES.values()
        }
        if str(grade) not in self.suspicious_without:
            values["suspicious"] = int(grade >= self.suspicious_from)
        return encode_labels(self.tasks, values)

    def _alone(self) -> cells.Problems:
        """Images of which the table of findings says nothing, not even that there are none."""
        problems = cells.Problems(self.listed.name)
        for image in self.listed.images.values():
            if image.image_id not in self.findings.named:
                rule = f"be an image of {self.findings.name}"
                problems.add(Row(image.place, {}), "image_id", rule, image.image_id)
        return problems

    def _facts(self) -> dict[str, Any]:
        marks = self.findings.marks
        views = Counter(image.study_id for image in self.images)
        return {
            "exams_without_four_images": sum(n != _VIEWS_OF_AN_EXAM for n in views.values()),
            "images_with_boxes": len(self.marks),
            "boxes": len(marks),
            "boxes_cut_at_the_border": sum(mark.cut for mark in marks),
            "findings_by_birads": _by_birads(marks),
            "images_without_metadata": sum(
                image.image_id not in self.headers.headers for image in self.images
            ),
        }


def _by_birads(marks: Iterable[Mark]) -> dict[str, dict[str, int]]:
    """How many findings of each category have each assessment of their own."""
    counts: dict[str, Counter[str]] = {category: Counter() for category in CATEGORIES.values()}
    for mark in marks:
        for category in mark.categories:
            counts[category][str(mark.birads or "none")] += 1
    return {category: dict(sorted(counter.items())) for category, counter in counts.items()}
