"""EMBED: the images of one table with the breasts of the other."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mammography.preparation.cells import Problems
from mammography.preparation.contents import (
    Contents,
    check_choice,
    check_task_names,
    encode_labels,
)
from mammography.preparation.source_tables.embed_breasts import (
    BIRADS,
    EXAM_KINDS,
    NORMAL,
    OTHER_CANCER,
    Breast,
    ClinicalTable,
    Exam,
    Rules,
)
from mammography.preparation.source_tables.embed_images import (
    FOLDER,
    IMAGE_TYPES,
    PREFIX,
    Image,
    MetadataTable,
    Wanted,
)
from mammography.preparation.source_tables.embed_rois import as_findings, to_dicom
from mammography.preparation.tables import TableError
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.task import Task
from mammography.terms import ImageKind, ViewModifier

ROIS = ("none", "png", "dicom")
SEVERITY_5 = ("unlabelled", "normal")
_OUTCOMES = ("malignant", "density", "birads", "pathology", "age_years")
_TABLE = "EMBED_OpenData_{}{}.csv"
_FOLDERS = ("", "tables")  # Of the root, where the tables are looked for.
_SPECIAL = (ViewModifier.MAGNIFICATION, ViewModifier.SPOT_COMPRESSION)


@dataclass(frozen=True)
class Embed:
    """The tables and what is asked of them.

    Args:
        root: Folder that all paths are relative to.
        tasks: Outcomes by name.
        clinical: The clinical table.
        metadata: The metadata table.
        images: Folder that holds the cohorts.
        prefix: What stands for it in the table.
        image_types: Types of image that are read.
        exams: Kinds of exam that are read.
        special_views: Whether spot compression and magnification views are read.
        negatives: Assessments that mean no cancer where there is no pathology.
        severity_5: What ``path_severity`` 5 is.
        implied: Whether a breast without row is negative in a bilateral exam.
        unlisted: Whether images of exams without clinical row are read, without labels.
        race: Whether the race is a clinical variable.
        rois: Where marks are: in pixels of the publishers' PNG, of the DICOM, or ignored.

    Raises:
        ValueError: If a task or an option is unknown.
    """

    root: Path
    tasks: dict[str, Task]
    clinical: str = ""
    metadata: str = ""
    images: str = FOLDER
    prefix: str = PREFIX
    image_types: tuple[str, ...] = ("2D",)
    exams: tuple[str, ...] = EXAM_KINDS
    special_views: bool = True
    negatives: tuple[str, ...] = ("N", "B")
    severity_5: str = SEVERITY_5[0]
    implied: bool = False
    unlisted: bool = False
    race: bool = False
    rois: str = ROIS[0]

    def __post_init__(self) -> None:
        """Refuse what the tables cannot give."""
        check_task_names("embed", self.tasks, _OUTCOMES)
        check_choice("embed", "image_types", self.image_types, IMAGE_TYPES, least=1)
        check_choice("embed", "exams", self.exams, EXAM_KINDS, least=1)
        check_choice("embed", "negatives", self.negatives, "NBP")
        check_choice("embed", "severity_5", self.severity_5, SEVERITY_5)
        check_choice("embed", "rois", self.rois, ROIS)

    @cached_property
    def breasts(self) -> ClinicalTable:
        """What the clinical table lists."""
        return ClinicalTable.read(self._table(self.clinical, "clinical"), self.race)

    @cached_property
    def files(self) -> MetadataTable:
        """What the metadata table lists."""
        path = self._table(self.metadata, "metadata")
        wanted = Wanted(
            self.image_types, self.special_views, self.prefix, self.images, self.rois != "none"
        )
        return MetadataTable.read(path, wanted)

    def _table(self, named: str, kind: str) -> Path:
        """Return a table: the one that is named, else the full one, else the reduced one."""
        names = [_TABLE.format(kind, size) for size in ("", "_reduced")]
        known = [self.root / folder / name for folder in _FOLDERS for name in names]
        known = [self.root / named] if named else known
        found = next((path for path in known if path.is_file()), None)
        if found is None:
            raise TableError(
                f"{self.root} must hold {named or ' or '.join(names)}, there or in tables: "
                f"name it with --source-options {kind}=FILE"
            )
        return found

    @property
    def problems(self) -> tuple[Problems, ...]:
        """What is wrong, table by table."""
        return self.breasts.problems, self.files.problems

    @cached_property
    def rules(self) -> Rules:
        """What counts as a label."""
        unlabelled = {OTHER_CANCER} | ({NORMAL} if self.severity_5 == "unlabelled" else set())
        negatives = frozenset(BIRADS[letter] for letter in self.negatives)
        return Rules(negatives, frozenset(unlabelled))

    @cached_property
    def contested(self) -> set[str]:
        """Exams that rows of one table or of both give to two patients."""
        exams = self.breasts.exams
        of_others = {
            image.exam_id
            for image in self.files.images
            if image.exam_id in exams and exams[image.exam_id].patient_id != image.patient_id
        }
        return of_others | {name for name, exam in exams.items() if exam.is_contested}

    @cached_property
    def left_out(self) -> Counter[str]:
        """What is left out, and why: rows of the tables."""
        marks = {"marks on images, see option rois": self.files.rois * (self.rois == "none")}
        return (
            self.files.left_out
            + Counter(reason for image in self.files.images if (reason := self._reason(image)))
            + Counter(marks)
        )

    def _reason(self, image: Image) -> str:
        exam = self.breasts.exams.get(image.exam_id)
        if exam is None:
            return "" if self.unlisted else "images of exams without clinical row"
        if image.exam_id in self.contested:
            return "images of exams of two patients"
        return "" if exam.kind in self.exams else f"images of exams of kind {exam.kind}"

    def records(self, with_findings: bool) -> Iterator[ImageRecord]:
        """Yield every image that is asked for.

        Args:
            with_findings: Whether marks are moved into the pixels of the files, for which
                their headers are read.
        """
        for image in self.files.images:
            if self._reason(image):
                continue
            exam = self.breasts.exams.get(image.exam_id)
            clinic_vars = dict(exam.clinic_vars) if exam else {}
            if exam:
                clinic_vars["exam_kind"] = exam.kind
            if image.implant is not None:
                clinic_vars["implant"] = image.implant
            yield ImageRecord(
                img_path=image.path,
                patient_id=image.patient_id,
                exam_id=image.exam_id,
                laterality=image.laterality,
                view_position=image.view_position,
                # The table does not tell which of the two it is.
                view_modifiers=_SPECIAL if image.is_special else (),
                image_kind=image.kind,
                gt_label=self._labels(exam, image),
                clinic_vars=clinic_vars,
                findings=self._findings(image) if with_findings else (),
            )

    def _labels(self, exam: Exam | None, image: Image) -> dict[str, float]:
        if exam is None:
            return {}
        breast = exam.breast(image.laterality, self.implied)
        values = {
            "malignant": breast.malignant(self.rules),
            "density": None if exam.density is None else "ABCD"[exam.density - 1],
            "birads": self._birads(breast),
            "pathology": breast.pathology(self.rules),
            "age_years": exam.clinic_vars.get("age_years"),
        }
        return encode_labels(self.tasks, values)

    def _birads(self, breast: Breast) -> int | None:
        """Return the grade: 0 (incomplete) and 6 (known) are labels only of tasks with them."""
        grade = breast.birads
        if grade in (0, 6) and "birads" in self.tasks:
            return grade if str(grade) in self.tasks["birads"].classes else None
        return grade

    def _findings(self, image: Image) -> tuple[Finding, ...]:
        if not image.rois or image.kind is ImageKind.TOMOSYNTHESIS:
            return ()  # A mark on a volume is one of some of its slices.
        if self.rois == "png":
            return as_findings(to_dicom(image.rois, self.root / image.path))
        return as_findings(image.rois)

    def contents(self) -> Contents:
        """Return the records, and what to compare with the card."""
        exams, files = self.breasts.exams, self.files
        with_images = {image.exam_id for image in files.images}
        return Contents(
            rows=self.breasts.rows + files.rows,
            records=tuple(self.records(with_findings=False)),
            problems=self.problems,
            facts={
                "rows_by_table": {"clinical": self.breasts.rows, "metadata": files.rows},
                "files_by_type": dict(sorted(files.types.items())),
                "exams_by_kind": dict(Counter(exam.kind for exam in exams.values())),
                "exams_without_image": len(exams.keys() - with_images),
                "left_out": dict(self.left_out),
                "views_without_term": dict(files.other_views),
                "images_without_side": sum(i.laterality is None for i in files.images),
                "images_with_marks": files.rois,
                "pathology_of_unclear_side": self.breasts.unclear_rows,
                "exams_with_two_densities": sum(len(e.densities) > 1 for e in exams.values()),
            },
        )
