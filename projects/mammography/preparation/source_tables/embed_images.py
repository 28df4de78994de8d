"""The images of EMBED: its metadata table, one row per file."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from mammography.preparation import cells
from mammography.preparation.source_tables.embed_rois import Roi, read_rois
from mammography.preparation.tables import Row, check_columns, read_table
from mammography.terms import ImageKind, Laterality, ViewPosition

IMAGE_TYPES = {
    "2D": ImageKind.MAMMOGRAM,
    "cview": ImageKind.SYNTHETIC,
    "3D": ImageKind.TOMOSYNTHESIS,
}
PREFIX = "/mnt/NAS2/mammo/anon_dicom"
FOLDER = "images"

_OTHER_TYPES = ("ROI_SSC", "ROI_SS", "other")  # Pictures of a screen, and what is no image.
_TYPE_WORDS = {name.lower(): name for name in (*IMAGE_TYPES, *_OTHER_TYPES)} | {"c-view": "cview"}
_COLUMNS = (
    "empi_anon", "acc_anon", "anon_dicom_path", "ImageLateralityFinal", "ViewPosition",
    "FinalImageType", "spot_mag",
)  # fmt: skip
_ROIS, _IMPLANT = "ROI_coords", "BreastImplantPresent"
_YES_NO = ("YES", "NO")


@dataclass(frozen=True, slots=True)
class Image:
    """One row.

    Attributes:
        path: File, relative to the root.
        patient_id: Of the patient.
        exam_id: Accession number.
        kind: How the image came about.
        laterality: Side, when known.
        view_position: Projection, when it is one that we have a term for.
        is_special: Whether it is a spot compression or magnification view.
        implant: Whether there is one, when known.
        rois: What a radiologist has marked, in the pixels of the publishers' PNG.
        place: Row; images are equal whatever row they stand in.
    """

    path: str
    patient_id: str
    exam_id: str
    kind: ImageKind
    laterality: Laterality | None
    view_position: ViewPosition | None
    is_special: bool
    implant: bool | None
    rois: tuple[Roi, ...]
    place: str = field(compare=False)


@dataclass(frozen=True)
class Wanted:
    """Which images are read, and where they lie.

    Attributes:
        types: Some of :data:`IMAGE_TYPES`.
        special_views: Whether spot compression and magnification views are read.
        prefix: What paths of the table start with, on the machine of the publishers.
        folder: What stands for it here, relative to the root.
        rois: Whether marks are read.
    """

    types: Collection[str] = ("2D",)
    special_views: bool = True
    prefix: str = PREFIX
    folder: str = FOLDER
    rois: bool = False


@dataclass(frozen=True)
class MetadataTable:
    """The table.

    Attributes:
        rows: Number of rows.
        images: One per file that is wanted and understood.
        problems: What is wrong.
        types: Rows by image type, left out ones included.
        left_out: Rows that are not wanted, and why.
        other_views: Images by views that we have no term for.
        rois: Number of rows with marks, among those that are wanted.
    """

    rows: int
    images: tuple[Image, ...]
    problems: cells.Problems
    types: Counter[str]
    left_out: Counter[str]
    other_views: Counter[str]
    rois: int

    @classmethod
    def read(cls, path: Path, wanted: Wanted) -> "MetadataTable":
        """Read the full or the reduced table.

        Raises:
            TableError: If it is unreadable or lacks a column.
        """
        columns, rows = read_table(path, only=(*_COLUMNS, _ROIS, _IMPLANT))
        check_columns(path, columns, [*_COLUMNS, *([_ROIS] if wanted.rois else [])])
        reader = _RowReader(wanted, cells.Problems(path.name))
        count = len(rows)
        rows.reverse()
        while rows:  # What is read is let go: the table may be larger than its records.
            reader.read(rows.pop())
        return cls(
            count,
            tuple(reader.images.values()),
            reader.problems,
            reader.types,
            reader.left_out,
            reader.other_views,
            reader.rois,
        )


@dataclass
class _RowReader:
    """Turn rows into images, and note every bad cell."""

    wanted: Wanted
    problems: cells.Problems
    images: dict[str, Image] = field(default_factory=dict)
    types: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    other_views: Counter[str] = field(default_factory=Counter)
    rois: int = 0

    def read(self, row: Row) -> None:
        """Keep the image of a row; nothing when it is refused or not wanted."""
        read, need, before = self.problems.read, self.problems.need, len(self.problems.found)
        kind = need(row, "FinalImageType", _image_type)
        special = read(row, "spot_mag", cells.grade(0, 1)) == 1
        if kind is not None and not self._is_wanted(kind, special):
            return
        patient = need(row, "empi_anon", cells.identifier)
        exam = need(row, "acc_anon", cells.identifier)
        path = need(row, "anon_dicom_path", self._path)
        side = read(row, "ImageLateralityFinal", cells.term(Laterality))
        implant = read(row, _IMPLANT, cells.one_of(_YES_NO))
        rois = read(row, _ROIS, read_rois) if self.wanted.rois else ()
        if kind is None or patient is None or exam is None or path is None:
            return
        image = Image(
            path=path,
            patient_id=patient,
            exam_id=exam,
            kind=IMAGE_TYPES[kind],
            laterality=side,
            view_position=self._view(row),
            is_special=special,
            implant=None if implant is None else implant == "YES",
            rois=rois or (),
            place=row.place,
        )
        if len(self.problems.found) == before:
            self._keep(row, image)

    def _is_wanted(self, kind: str, special: bool) -> bool:
        self.types[kind] += 1
        if kind not in self.wanted.types:
            self.left_out[f"files of type {kind}"] += 1
        elif special and not self.wanted.special_views:
            self.left_out["spot compression and magnification views"] += 1
        else:
            return True
        return False

    def _keep(self, row: Row, image: Image) -> None:
        first = self.images.setdefault(image.path, image)
        if first is image:
            self.rois += _has_marks(row)
        elif first == image:
            self.left_out["rows that repeat another one"] += 1
        else:
            rule = f"differ from that of {first.place}, of which other cells differ"
            self.problems.add(row, "anon_dicom_path", rule, row.cells["anon_dicom_path"])

    def _view(self, row: Row) -> ViewPosition | None:
        """Read the view of the header: it may be any word, and is unknown if it is not ours."""
        text = str(row.cells.get("ViewPosition") or "").strip().upper()
        if text in tuple(ViewPosition):
            return ViewPosition(text)
        if not cells.is_missing(text):
            self.other_views[text] += 1
        return None

    def _path(self, value: object) -> str:
        """Read a path of the publishers' machine as one below the root."""
        path = PurePosixPath(cells.path_below(Path())(value))
        for start in (self.wanted.prefix, FOLDER):
            if path.is_relative_to(start):
                path = path.relative_to(start)
                break
        if path.is_absolute():
            raise cells.CellError(
                f"lie in {self.wanted.prefix}: name the folder that all paths start with by "
                "--source-options prefix=DIR"
            )
        return str(self.wanted.folder / path)


def _has_marks(row: Row) -> bool:
    """Whether a row lists marks, without reading them."""
    cell = row.cells.get(_ROIS)
    return not cells.is_missing(cell) and str(cell).strip("[]() ") != ""


def _image_type(value: object) -> str:
    text = str(value).strip().lower()
    if text not in _TYPE_WORDS:
        raise cells.CellError(f"be one of {', '.join((*IMAGE_TYPES, *_OTHER_TYPES))}")
    return _TYPE_WORDS[text]
