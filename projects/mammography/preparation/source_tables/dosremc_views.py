"""The images of DoSReMC: the rows of its tables."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mammography.preparation import cells
from mammography.preparation.source_tables.dosremc_cells import (
    coordinates,
    domain_label,
    domain_word,
    pair,
)
from mammography.preparation.source_tables.dosremc_tables import (
    DOMAINS,
    EXAMS,
    PATHS,
    PATIENTS,
    Table,
)
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.preparation.tables import Row
from mammography.structures.annotation import Finding
from mammography.terms import Laterality, Split, ViewPosition

T = TypeVar("T")
Pair = tuple[int, int]


@dataclass(frozen=True)
class View:
    """One row: an image.

    Attributes:
        hospital: Name of the folder.
        split: Part that the table is of.
        breast_id: Number of the breast in its hospital.
        patient_id: Its patient, as the options say.
        exam_id: One visit, when the table tells.
        path: File of the image.
        laterality: Side.
        view_position: Projection, when the table tells.
        outcome: Whether benign, whether malignant; none when it is not known.
        domain: ``source`` or ``target``, when the table tells.
        findings: Boxes.
        mask: File with the outlines of its lesions.
    """

    hospital: str
    split: Split
    breast_id: str
    patient_id: str
    exam_id: str | None
    path: str
    laterality: Laterality
    view_position: ViewPosition | None
    outcome: Pair | None
    domain: str | None
    findings: tuple[Finding, ...]
    mask: str | None

    @property
    def breast(self) -> tuple[str, str]:
        """The breast among those of all hospitals."""
        return self.hospital, self.breast_id


@dataclass
class ViewReader:
    """Turn rows into views; note every bad cell, also where rows of a breast disagree.

    Args:
        path: Reader of the paths.
        pattern: Finds the patient in BreastID, where that is asked for.
    """

    path: Callable[[object], str]
    pattern: NamePattern | None
    seen: dict[tuple[Any, ...], tuple[Any, str]] = field(default_factory=dict)
    problems: cells.Problems = field(init=False)
    table: Table = field(init=False)

    def read(self, table: Table) -> Iterator[View]:
        """Yield the views of the rows that are understood; ``problems`` has the others."""
        self.table, self.problems = table, cells.Problems(table.name)
        for row in table.rows:
            before = len(self.problems.found)
            view = self._view(row)
            if view and len(self.problems.found) == before:
                self._compare(row, view)
                if len(self.problems.found) == before:
                    yield view

    def _view(self, row: Row) -> View | None:
        read, need = self.problems.read, self.problems.need
        breast = need(row, "BreastID", cells.identifier)
        side = need(row, "ImageLaterality", cells.term(Laterality))
        path = self._either(row, PATHS, (self.path, self.path))
        patient = self._patient(row, breast)
        exam = self._either(row, EXAMS, (cells.identifier, cells.identifier), must=False)
        domain = self._either(row, DOMAINS, (domain_word, domain_label))
        outcome = read(row, "OneHotLabel", pair)
        view = read(row, "ViewPosition", cells.term(ViewPosition))
        findings = read(row, "Coordinates", coordinates) or ()
        mask = read(row, "Mask", self.path)
        if not (breast and side and path and patient):
            return None
        return View(
            self.table.hospital, self.table.split, breast, patient, exam, path, side, view,
            outcome, domain, findings, mask,
        )  # fmt: skip

    def _patient(self, row: Row, breast: str | None) -> str | None:
        if self.table.those_of(PATIENTS):
            return self._either(row, PATIENTS, (cells.identifier, cells.identifier))
        if self.pattern is None or breast is None:
            return breast
        find = self.pattern.read
        return self.problems.read(row, "BreastID", lambda _: str(find(breast)["patient"]))

    def _either(
        self,
        row: Row,
        names: Sequence[str],
        readers: Sequence[Callable[[object], T]],
        must: bool = True,
    ) -> T | None:
        """Read what two columns may say, at least one where there is any, and both the same."""
        here = [(n, r) for n, r in zip(names, readers, strict=True) if n in self.table.columns]
        filled = [(n, r) for n, r in here if not cells.is_missing(row.cells.get(n))]
        if must and here and not filled:
            self.problems.add(row, " or ".join(n for n, _ in here), "not be empty", None)
        told = {name: self.problems.read(row, name, reader) for name, reader in filled}
        values = [value for value in told.values() if value is not None]
        if len(set(values)) > 1:
            first, second = told
            rule = f"say what {first} says, {row.cells[first]!r}"
            self.problems.add(row, second, rule, row.cells[second])
        return values[0] if values else None

    def _compare(self, row: Row, view: View) -> None:
        """Compare with rows before: one file is one image, one breast is one breast."""
        place = f"{self.table.name} {row.place}"
        _, first = self.seen.setdefault(("path", view.path), (view.path, place))
        if first != place:
            column = self.table.those_of(PATHS)[0]
            self.problems.add(row, column, f"differ from that of {first}", view.path)
        for column, value in (
            ("ImageLaterality", view.laterality),
            ("PatientID", view.patient_id),
            ("Domain", view.domain),
        ):
            self._agree(row, column, value, view.breast, "of the same breast")
        side = (view.hospital, view.patient_id, view.exam_id, view.laterality)
        reason = "of the same side of the same patient (a column ExamID tells exams apart)"
        self._agree(row, "BreastID", view.breast_id, side, reason)

    def _agree(self, row: Row, column: str, value: Any, unit: tuple[Any, ...], reason: str) -> None:
        place = f"{self.table.name} {row.place}"
        first, where = self.seen.setdefault((column, *unit), (value, place))
        if first != value:
            self.problems.add(row, column, f"be {first} as in {where}, {reason}", value)
