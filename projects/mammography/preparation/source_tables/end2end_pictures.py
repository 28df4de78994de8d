"""A picture of the end2end systems, and what its name says."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mammography.preparation import cells
from mammography.preparation.source_record import FindingMask
from mammography.preparation.source_tables.name_pattern import NamePattern
from mammography.preparation.source_tables.patient_rule import choose_patient_rule
from mammography.preparation.tables import Row
from mammography.terms import Laterality, Split, ViewPosition

# P_00005_RIGHT_CC.png, also as CBIS-DDSM calls a lesion: Calc-Training_P_00005_RIGHT_CC_1.png.
_FILE_NAME = (
    r"(?:.*/)?(?:(?:Calc|Mass)-(?:Training|Test)_)?(?P<patient>[^/]+)_"
    rf"(?P<laterality>LEFT|RIGHT|L|R)_(?P<view_position>{'|'.join(ViewPosition)})(?:_\d+)?\.\w+"
)
_RULE = (
    "be named PATIENT_SIDE_VIEW, such as P_00005_RIGHT_CC.png (for other names give "
    "--source-options patient_pattern=REGEX, or image_is_patient=true)"
)

Film = tuple[str, Laterality, ViewPosition]


@dataclass(frozen=True)
class Picture:
    """A picture.

    Attributes:
        path: File, as a record has it.
        malignant: Whether it shows cancer, when that is known.
        patient_id: Its patient, as the options say.
        laterality: Side, when it is told.
        view_position: Projection, when it is told.
        split: Part, when it is told.
        masks: Its lesions.
    """

    path: str
    malignant: bool | None
    patient_id: str
    laterality: Laterality | None = None
    view_position: ViewPosition | None = None
    split: Split | None = None
    masks: tuple[FindingMask, ...] = ()

    @property
    def film(self) -> Film | None:
        """Patient, side and view, when all are known."""
        if self.laterality is None or self.view_position is None:
            return None
        return self.patient_id, self.laterality, self.view_position


@dataclass(frozen=True)
class Pictures:
    """What one form of the source holds.

    Attributes:
        rows: Number of rows, or of files where no table lists them.
        found: The pictures.
        problems: What is wrong, table by table.
        facts: Plain counts, for the dry run.
    """

    rows: int
    found: tuple[Picture, ...]
    problems: tuple[cells.Problems, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FileNames:
    """What the name of a file tells: its patient, side and view.

    Args:
        pattern: Regular expression for the whole path; empty takes the names of the
            published systems, which have all three.
        alone: Whether every picture is a patient of its own.

    Raises:
        ValueError: If the pattern is none, or tells no patient, or both do.

    Example:
        >>> path = "train/P_00005_RIGHT_CC.png"
        >>> row = Row("row 2", {"mam": path})
        >>> FileNames().read(cells.Problems("t.csv"), row, "mam", path)["patient"]
        'P_00005'
    """

    pattern: str = ""
    alone: bool = False

    def __post_init__(self) -> None:
        """Check that there is one way to the patient."""
        choose_patient_rule("end2end", "image", "", self._named, self.alone)

    @cached_property
    def _named(self) -> NamePattern | None:
        if self.pattern:
            return NamePattern(self.pattern)
        return None if self.alone else NamePattern(_FILE_NAME, _RULE)

    def read(self, problems: cells.Problems, row: Row, column: str, path: str) -> dict[str, Any]:
        """Return what a path tells; nothing when it is refused, which is noted."""
        named = self._named
        told = problems.read(row, column, lambda _: named.read(path)) if named else {}
        return told | {"patient": path} if self.alone and told is not None else told or {}
