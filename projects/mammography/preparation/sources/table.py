"""Any table of images and outcomes, or the published JSON form as it stands."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from mammography.preparation import cells
from mammography.preparation.contents import Contents
from mammography.preparation.listing import Listing, find_listing, read_listing
from mammography.preparation.tables import Row, TableError, check_columns
from mammography.structures.annotation import AnnotationError, Finding, ImageRecord
from mammography.structures.task import Task, TaskError
from mammography.terms import Laterality, Level, Split, TaskKind, ViewPosition

LEVEL = Level.IMAGE
DEFAULT_TASKS: tuple[str, ...] = ()
PATH_COLUMNS = ("img_path", "path", "file", "dicom_path", "png_path", "DICOM", "FilePath")
_VIEW_COLUMNS = ("view_position", "view")
FILE_OPTIONS = ("table",)
_MOST_WORDS = 50
_COLUMNS = ("patient_id", "exam_id", "laterality", "manufacturer", "split", "findings")

logger = logging.getLogger(__name__)


def find_tasks(root: Path, *, table: str = "") -> dict[str, Task]:
    """Return the tasks that the file itself names: those of the published JSON form."""
    return read_listing(find_listing(root, table)).tasks


def read_records(
    root: Path,
    tasks: dict[str, Task],
    *,
    table: str = "",
    path_column: str = "",
    clinical: tuple[str, ...] = (),
) -> Iterator[ImageRecord]:
    """Read one record per row.

    The published form has no patient: there it is the first token of the file name, up
    to its first underscore, which is the rule that its authors evaluate by.

    Args:
        root: Folder of the table, or the table itself; paths of images start from the
            folder.
        tasks: Outcomes; each is a column (or a key of ``gt_label``), an empty cell is a
            missing label.
        table: Name of the table when the folder holds several.
        path_column: Column with the path of the image, when it has an unusual name.
        clinical: Columns to carry as clinical variables; every other column is left out.

    Raises:
        TableError: If the table cannot be read, or with the list of its bad cells.
    """
    contents = read_contents(root, tasks, table=table, path_column=path_column, clinical=clinical)
    contents.check()
    if not contents.records:
        raise TableError(f"{find_listing(root, table)} must list at least one image")
    yield from contents.records


def read_contents(
    root: Path,
    tasks: dict[str, Task],
    table: str = "",
    path_column: str = "",
    clinical: tuple[str, ...] = (),
) -> Contents:
    """Read what the table says; the options are those of :func:`read_records`."""
    listing = read_listing(find_listing(root, table))
    columns = {"path": _path_column(listing, path_column), "view": _view_column(listing)}
    _check_columns(listing, tasks, clinical)
    _tell_left_out(listing, {*columns.values(), *_COLUMNS, *tasks, *clinical})
    folder = root if root.is_dir() else root.parent
    reader = _RowReader(listing, folder, tasks, clinical, columns)
    records = {row.place: reader.read(row) for row in listing.rows}
    for place in reader.problems.places():
        del records[place]
    _refuse_many_words(listing, records.values(), clinical)
    return Contents(len(listing.rows), tuple(records.values()), (reader.problems,))


def _path_column(listing: Listing, wanted: str) -> str:
    names = (wanted,) if wanted else PATH_COLUMNS
    found = [name for name in names if name in listing.columns]
    if len(found) != 1:
        raise TableError(
            f"{listing.path}: columns must have one of {', '.join(names)}, "
            f"got {', '.join(found or listing.columns) or 'none'}: "
            "name the column of the paths with --source-options path_column=NAME"
        )
    return found[0]


def _view_column(listing: Listing) -> str:
    found = [name for name in _VIEW_COLUMNS if name in listing.columns]
    if len(found) > 1:
        raise TableError(f"{listing.path}: columns must have one of {', '.join(found)}, got both")
    return (found or list(_VIEW_COLUMNS))[0]


def _check_columns(listing: Listing, tasks: dict[str, Task], clinical: tuple[str, ...]) -> None:
    required = [*([] if listing.published else ["patient_id"]), *tasks, *clinical]
    check_columns(listing.path, listing.columns, required)


def _tell_left_out(listing: Listing, used: set[str]) -> None:
    rest = [name for name in listing.columns if name not in used]
    if rest:
        logger.warning(
            "%s: left out, since a column may identify people: %s\n"
            "  carry clinical variables with --source-options clinical=NAME,NAME",
            listing.path.name,
            ", ".join(rest),
        )


def _refuse_many_words(
    listing: Listing, records: Iterable[ImageRecord], clinical: tuple[str, ...]
) -> None:
    """Refuse columns of names or remarks, of which every single cell looks harmless."""
    for name in clinical:
        values = (record.clinic_vars.get(name) for record in records)
        found = {value for value in values if isinstance(value, str)}
        if len(found) > _MOST_WORDS:
            raise TableError(
                f"{listing.path}: {name} must hold numbers or up to {_MOST_WORDS} different words "
                f"to be carried, got {len(found)}: such a column may name people"
            )


@dataclass
class _RowReader:
    """Turn rows into records and note every bad cell."""

    listing: Listing
    folder: Path
    tasks: dict[str, Task]
    clinical: tuple[str, ...]
    columns: dict[str, str]
    problems: cells.Problems = field(init=False)
    first_rows: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.problems = cells.Problems(str(self.listing.path))

    def read(self, row: Row) -> ImageRecord:
        read = self.problems.read
        img_path = self._path(row)
        return ImageRecord(
            img_path=img_path,
            patient_id=self._patient(row, img_path),
            exam_id=read(row, "exam_id", cells.identifier),
            laterality=read(row, "laterality", cells.term(Laterality)),
            view_position=read(row, self.columns["view"], cells.term(ViewPosition)),
            manufacturer=read(row, "manufacturer", lambda cell: str(cells.category(cell))),
            split=read(row, "split", cells.term(Split)),
            gt_label=self._labels(row),
            clinic_vars=self._clinic_vars(row),
            findings=read(row, "findings", _findings) or (),
        )

    def _path(self, row: Row) -> str:
        column = self.columns["path"]
        if cells.is_missing(row.cells.get(column)):
            self.problems.add(row, column, "be a path", row.cells.get(column))
            return ""
        path = self.problems.read(row, column, cells.path_below(self.folder)) or ""
        first = self.first_rows.setdefault(path, row)
        if path and first is not row:
            self.problems.add(row, column, f"differ from that of {first.place}", path)
        return path

    def _patient(self, row: Row, img_path: str) -> str | None:
        patient = self.problems.read(row, "patient_id", cells.identifier)
        if patient is None and self.listing.published:
            return PurePosixPath(img_path).stem.split("_")[0]
        if cells.is_missing(row.cells.get("patient_id")):
            self.problems.add(row, "patient_id", "name a patient", row.cells.get("patient_id"))
        return patient

    def _labels(self, row: Row) -> dict[str, float]:
        labels = {}
        for name, task in self.tasks.items():
            value = row.cells.get(name)
            # A class may be called "none": then the word is a label.
            if cells.is_missing(value) and value not in task.classes:
                continue
            try:
                if task.kind is TaskKind.REGRESSION:
                    cells.refuse_date(value)
                labels[name] = _label(task, value) if self.listing.published else task.encode(value)
            except TaskError as error:
                self.problems.found.append(f"{row.place}: {error}")
            except cells.CellError as error:
                self.problems.add(row, name, str(error), value)
        return labels

    def _clinic_vars(self, row: Row) -> dict[str, Any]:
        values = {name: self.problems.read(row, name, cells.category) for name in self.clinical}
        return {name: value for name, value in values.items() if value is not None}


def _label(task: Task, value: object) -> float:
    """Check a label of the published form, where it is a number already."""
    if not isinstance(value, int | float):
        raise TaskError(f"task {task.name}: label must be a number, got {value!r}")
    return task.check(value)


def _findings(value: object) -> tuple[Finding, ...]:
    """Read outlined lesions, in pixels of the source image."""
    try:
        found = ImageRecord.from_json({"img_path": "", "findings": value}, "").findings
        sizes = [(f.box[2] - f.box[0], f.box[3] - f.box[1]) for f in found]
    except (AnnotationError, TypeError) as error:
        raise cells.CellError(f"be a list of {{box, label}} ({error.__cause__})") from error
    if not all(width > 0 and height > 0 for width, height in sizes):
        raise cells.CellError(
            "have boxes (left, top, right, bottom) with left < right, top < bottom"
        )
    for finding in found:
        cells.category(finding.label)
    return found
