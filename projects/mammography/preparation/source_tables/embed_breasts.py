"""The breasts of EMBED: its clinical table, one row per finding, gathered exam by exam."""

from dataclasses import dataclass, field
from pathlib import Path

from mammography.preparation import cells
from mammography.preparation.tables import Row, check_columns, read_table
from mammography.terms import Laterality

SCREENING, DIAGNOSTIC, OTHER = EXAM_KINDS = ("screening", "diagnostic", "other")
BIRADS = {"A": 0, "N": 1, "B": 2, "P": 3, "S": 4, "M": 5, "K": 6}
# By path_severity, from 0 on; what 5 means depends on whom one asks.
INVASIVE, IN_SITU, HIGH_RISK, BORDERLINE, BENIGN, NORMAL, OTHER_CANCER = range(7)
PATHOLOGIES = {
    NORMAL: "normal", BENIGN: "benign", BORDERLINE: "borderline", HIGH_RISK: "high risk",
    IN_SITU: "in situ", INVASIVE: "invasive",
}  # fmt: skip

_BOTH = "B"
_SIDES = {side.value: (side,) for side in Laterality} | {_BOTH: tuple(Laterality)}
_NO_ASSESSMENT = "X"
_INCOMPLETE, _KNOWN_CANCER = BIRADS["A"], BIRADS["K"]
_SUSPICIOUS = BIRADS["S"]
_MALE = 5  # Stands in the column of the density.
_COLUMNS = ("empi_anon", "acc_anon", "desc", "side", "asses", "tissueden", "path_severity")
_RACES = ("RACE_DESC", "ETHNICITY_DESC")  # Of later and of earlier releases.
_LONGEST_RACE = 64


@dataclass(frozen=True)
class Rules:
    """What counts as a label.

    Attributes:
        negatives: BI-RADS grades that mean no cancer where there is no pathology.
        unlabelled: Pathologies, as ``path_severity``, that are no label of a breast.
    """

    negatives: frozenset[int]
    unlabelled: frozenset[int]


@dataclass
class Breast:
    """What all findings of a breast in one exam say.

    Attributes:
        grades: BI-RADS 0 to 6, those that were given.
        unproven: Those of findings without a specimen of this breast.
        pathologies: ``path_severity`` of specimens of this breast.
        is_unclear: Whether pathology of the exam may be of this breast, or of the other.
        without_grade: Whether a finding has neither assessment nor such a specimen.
    """

    grades: set[int] = field(default_factory=set)
    unproven: set[int] = field(default_factory=set)
    pathologies: set[int] = field(default_factory=set)
    is_unclear: bool = False
    without_grade: bool = False

    def malignant(self, rules: Rules) -> int | None:
        """Return 1 for cancer, 0 for none, ``None`` where the findings do not tell."""
        if self.pathologies & {INVASIVE, IN_SITU}:
            return 1
        if self.is_unclear or self.pathologies & rules.unlabelled or _KNOWN_CANCER in self.grades:
            return None
        # A benign specimen says nothing about a suspicious finding that nobody took one of.
        told = bool(self.pathologies or self.unproven) and not self.without_grade
        return 0 if told and self.unproven <= rules.negatives else None

    @property
    def birads(self) -> int | None:
        """The gravest grade; 0, an incomplete assessment, goes before 1 to 3."""
        worst = max(self.grades, default=None)
        incomplete = _INCOMPLETE in self.grades and worst is not None and worst < _SUSPICIOUS
        return _INCOMPLETE if incomplete else worst

    def pathology(self, rules: Rules) -> str | None:
        """Return the gravest pathology; ``None`` where there is none, or may be a graver one."""
        if INVASIVE in self.pathologies:
            return PATHOLOGIES[INVASIVE]
        if self.is_unclear or not self.pathologies or self.pathologies & rules.unlabelled:
            return None
        return PATHOLOGIES[min(self.pathologies)]


@dataclass
class Exam:
    """All rows of one accession number.

    Attributes:
        patient_id: Of the patient.
        breasts: Those that a row speaks of.
        kinds: What its descriptions say that it is.
        densities: BI-RADS 1 to 4, normally one.
        is_bilateral: Whether its description says so.
        clinic_vars: Age and race, as far as they are known.
        is_contested: Whether two patients have it.
    """

    patient_id: str
    breasts: dict[Laterality, Breast] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    densities: set[int] = field(default_factory=set)
    is_bilateral: bool = False
    clinic_vars: dict[str, object] = field(default_factory=dict)
    is_contested: bool = False

    @property
    def kind(self) -> str:
        """One of :data:`EXAM_KINDS`; ``other`` too where rows differ."""
        return next(iter(self.kinds)) if len(self.kinds) == 1 else OTHER

    @property
    def density(self) -> int | None:
        """BI-RADS 1 to 4; none where rows differ."""
        return next(iter(self.densities)) if len(self.densities) == 1 else None

    def breast(self, side: Laterality | None, implied: bool) -> Breast:
        """Return a breast, without any finding if no row speaks of it.

        Args:
            side: Of the breast; an image may have none.
            implied: Whether a breast without row is negative in a bilateral exam.
        """
        if side in self.breasts:
            return self.breasts[side]
        negative = side is not None and implied and self.is_bilateral
        grades = {BIRADS["N"]} if negative else set()
        return Breast(grades=grades, unproven=grades)


@dataclass(frozen=True)
class ClinicalTable:
    """The table.

    Attributes:
        rows: Number of rows.
        exams: By accession number, of the rows that are understood.
        problems: What is wrong.
        unclear_rows: Rows with pathology of which nobody says of which breast.
    """

    rows: int
    exams: dict[str, Exam]
    problems: cells.Problems
    unclear_rows: int

    @classmethod
    def read(cls, path: Path, race: bool = False) -> "ClinicalTable":
        """Read the full or the reduced table.

        Args:
            path: The table.
            race: Whether the race is a clinical variable, for which it needs a column.

        Raises:
            TableError: If it is unreadable or lacks a column.
        """
        wanted = (*_COLUMNS, "bside", "age_at_study", *_RACES)
        columns, rows = read_table(path, only=wanted)
        column = next((name for name in _RACES if name in columns), _RACES[0]) if race else None
        check_columns(path, columns, [*_COLUMNS, *([column] if column else [])])
        reader = _RowReader(cells.Problems(path.name), column)
        for row in rows:
            reader.read(row)
        return cls(len(rows), reader.exams, reader.problems, reader.unclear_rows)


@dataclass
class _RowReader:
    """Add rows to their exams and note every bad cell."""

    problems: cells.Problems
    race: str | None
    exams: dict[str, Exam] = field(default_factory=dict)
    unclear_rows: int = 0

    def read(self, row: Row) -> None:
        """Add what a row says; nothing when it is refused."""
        read, need, before = self.problems.read, self.problems.need, len(self.problems.found)
        patient = need(row, "empi_anon", cells.identifier)
        exam_id = need(row, "acc_anon", cells.identifier)
        side = read(row, "side", cells.one_of([*_SIDES]))
        grade = read(row, "asses", cells.one_of([*BIRADS, _NO_ASSESSMENT]))
        pathology = read(row, "path_severity", cells.grade(0, OTHER_CANCER))
        specimen = read(row, "bside", cells.one_of([*_SIDES]))
        density = read(row, "tissueden", cells.grade(1, _MALE))
        clinic_vars = self._clinic_vars(row)
        if patient is None or exam_id is None or len(self.problems.found) > before:
            return
        exam = self.exams.setdefault(exam_id, Exam(patient))
        exam.is_contested |= exam.patient_id != patient
        self._add(exam, side, specimen, BIRADS.get(grade or _NO_ASSESSMENT), pathology)
        description = str(row.cells["desc"] or "").lower()
        exam.kinds.add(_kind(description))
        exam.is_bilateral |= "bilat" in description
        if density not in (None, _MALE):
            exam.densities.add(density)
        exam.clinic_vars = clinic_vars | exam.clinic_vars

    def _add(
        self,
        exam: Exam,
        side: str | None,
        specimen: str | None,
        grade: int | None,
        pathology: int | None,
    ) -> None:
        """Add a finding to its breasts: of both, if it has no side."""
        owners = () if pathology is None else _owners(side, specimen)
        given = set() if grade is None else {grade}
        for one in _SIDES[side or _BOTH]:
            breast = exam.breasts.setdefault(one, Breast())
            breast.grades |= given
            if one not in owners:
                breast.unproven |= given
                breast.without_grade |= grade is None
        if pathology is None:
            return
        for owner in owners or Laterality:
            breast = exam.breasts.setdefault(owner, Breast())
            breast.is_unclear |= not owners
            breast.pathologies |= {pathology} if owners else set()
        self.unclear_rows += not owners

    def _clinic_vars(self, row: Row) -> dict[str, object]:
        age = self.problems.read(row, "age_at_study", cells.number(0, 120))
        race = self.problems.read(row, self.race, _race) if self.race else None
        # Whole years: the table has a millionth of one, which is a date.
        known = {"age_years": None if age is None else int(age), "race": race}
        return {name: value for name, value in known.items() if value is not None}


def _owners(side: str | None, specimen: str | None) -> tuple[Laterality, ...]:
    """Return the breasts that a specimen is of; none where the cells do not tell or differ."""
    finding = _SIDES[side or _BOTH]
    if specimen is None:
        return finding if len(finding) == 1 else ()
    taken = _SIDES[specimen]
    return taken if set(taken) <= set(finding) else ()


def _kind(description: str) -> str:
    if "screen" in description:
        return SCREENING
    return DIAGNOSTIC if "diag" in description else OTHER


def _race(value: object) -> object:
    return cells.category(" ".join(str(value).split()), _LONGEST_RACE)
